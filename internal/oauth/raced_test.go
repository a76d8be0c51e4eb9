//go:build race

package oauth

const raced = 2
