const { sum } = require('./sum');

describe('sum', () => {
  test('adds', () => {
    expect(sum(1, 2)).toBe(3);
  });
  test('is wrong', () => {
    expect(sum(1, 2)).toBe(4);
  });
  test.skip('later', () => {});
  test.todo('negative numbers');
});
