package main

import "testing"

func TestVerdictNamesWhatIsMissed(t *testing.T) {
	const slower = 1.5
	for want, r := range map[string]row{
		"–":                               {},
		"not measured: 3 requests failed": {problem: "3 requests failed", conditions: []condition{atMost("CPU", 1, 2, " µs")}},
		"yes":                             {conditions: []condition{atMost("CPU", 60, 60, " µs").here(), atLeast("rate", 3000, 3000, "/s")}},
		"**no**: ratio 1.60":              {conditions: []condition{atMost("ratio", 1.6, 1.5, ""), atMost("p99", 1, 5, " ms")}},
		"**no**: rate 1,900/s":            {conditions: []condition{atLeast("rate", 1900, 3000, "/s").here()}},
		"no here: CPU 80.0 µs; yes at the targets' speed":  {conditions: []condition{atMost("CPU", 80, 60, " µs").here()}},
		"no here: rate 2,500/s; yes at the targets' speed": {conditions: []condition{atLeast("rate", 2500, 3000, "/s").here()}},
	} {
		if got := r.verdict(slower); got != want {
			t.Errorf("verdict %q, want %q", got, want)
		}
	}
}

func TestNumbersHaveThreeDigits(t *testing.T) {
	for want, f := range map[string]float64{"0.57": 0.566, "9.10": 9.1, "12.3": 12.34, "177": 177.2, "5,051": 5050.6, "71,504": 71504, "1,960,784": 1960784} {
		if got := number(f); got != want {
			t.Errorf("number(%v) is %q, want %q", f, got, want)
		}
	}
}
