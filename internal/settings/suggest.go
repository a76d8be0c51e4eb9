package settings

import "strings"

// Suggest gives the candidate that word is most likely a slip for: at most two
// letters missing, added, changed or swapped, and one in three in short words,
// whatever their case. Of equally near candidates it gives the first.
func Suggest(word string, candidates []string) (string, bool) {
	const farthest, longest = 2, 64
	if word == "" || len(word) > longest {
		return "", false
	}
	nearest, least := "", min(farthest, len(word)/3)+1
	for _, candidate := range candidates {
		if d := distance(strings.ToLower(word), strings.ToLower(candidate)); d < least {
			nearest, least = candidate, d
		}
	}
	return nearest, nearest != ""
}

// distance counts the single slips between a and b (optimal string alignment:
// Levenshtein's distance, with a swap of neighbours as one slip).
func distance(a, b string) int {
	beforeLast, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		current := make([]int, len(b)+1)
		current[0] = i
		for j := 1; j <= len(b); j++ {
			changed := 1
			if a[i-1] == b[j-1] {
				changed = 0
			}
			current[j] = min(last[j]+1, current[j-1]+1, last[j-1]+changed)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				current[j] = min(current[j], beforeLast[j-2]+1)
			}
		}
		beforeLast, last = last, current
	}
	return last[len(b)]
}
