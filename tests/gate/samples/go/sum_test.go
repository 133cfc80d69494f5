package sample

import "testing"

func TestSum(t *testing.T) {
	if Sum(1, 2) != 3 {
		t.Fatal("wrong")
	}
}

func TestIsWrong(t *testing.T) {
	t.Errorf("got %d, want 4", Sum(1, 2))
}

func TestLater(t *testing.T) { t.Skip("later") }

func TestGroup(t *testing.T) {
	t.Run("inner ok", func(t *testing.T) {})
	t.Run("inner wrong", func(t *testing.T) { t.Error("no") })
}
