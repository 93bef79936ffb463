// Package common is the root of the engine's module. It holds no code but the test of the floors on which the engine's packages stand.
package common
