function sum(a, b) {
  var unused = 1;
  return a + b;
}
function never() {
  if (a == 1) { return undefined_thing; }
}
module.exports = { sum, never };
