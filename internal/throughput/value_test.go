package throughput_test

import (
	"testing"

	"chartcode/internal/throughput"
)

func TestMoney(t *testing.T) {
	t.Parallel()
	for x, want := range map[float64]string{
		0: "$0.00", 0.0123: "$0.0123", 0.99994: "$0.9999", 0.99996: "$1.00", 1: "$1.00", 1.994: "$1.99", 1.997: "$2.00", 9.995001: "$10.00", 999.999: "$1,000.00",
		1234567.891: "$1,234,567.89", -0.5: "-$0.5000", -1.997: "-$2.00", -1234.5: "-$1,234.50",
	} {
		if got := (throughput.Value{Kind: throughput.Money, X: x}).String(); got != want {
			t.Errorf("%v is written %s, want %s", x, got, want)
		}
	}
}
