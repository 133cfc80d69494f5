import test from 'node:test';
import assert from 'node:assert';
test('adds', () => assert.equal(1 + 2, 3));
test('is wrong', () => assert.equal(1 + 2, 4));
test('later', { skip: true }, () => {});
test('group', async (t) => {
  await t.test('inner', () => assert.ok(false));
});
