package sample

// Sum adds.
func Sum(a, b int) int { return a + b }
