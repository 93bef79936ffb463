// Package brazil handles what systems of Brazilian vendors have in common: numbers that lost their leading zeros, and the words of errors that have
// no codes.
package brazil
