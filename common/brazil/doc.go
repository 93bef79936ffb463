// Package brazil knows what systems of Brazilian vendors have in common: numbers that lost the zeros in front of them, and the words of errors
// that have no codes.
package brazil
