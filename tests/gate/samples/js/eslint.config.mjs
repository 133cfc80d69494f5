export default [{ rules: { 'no-unused-vars': 'warn', 'no-undef': 'error', eqeqeq: 'error' }, languageOptions: { sourceType: 'commonjs', globals: { module: 'readonly', require: 'readonly' } } }];
