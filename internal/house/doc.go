// Package house holds no code, only the rules of the house as tests.
package house
