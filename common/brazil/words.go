package brazil

import "regexp"

// Denied is whether the words of an error say that a user may not do what was asked. Words are no contract: a vendor that documents codes is
// judged by those.
func Denied(words string) bool {
	return says(words, `permiss|acesso|autoriza|direito|privil[eé]gio|denied|not allowed|forbidden`)
}

// NoAction is whether they say that a server does not know the action that was asked for.
func NoAction(words string) bool {
	return !Denied(words) && says(words, `(^|\PL)(a[cç][aã]o|action|m[eé]todo|servi[cç]o|fun[cç][aã]o)(\PL|$)`) &&
		says(words, `n[aã]o |inv[aá]lid|desconhecid|inexist|unknown|\bnot\b|invalid`)
}

// NoRow is whether they say that a row which was asked for is not there.
func NoRow(words string) bool {
	return !Denied(words) && !NoAction(words) && says(words, `n[aã]o (foi )?(encontrad|localizad|exist|cadastrad)|inexistente|not found`)
}

func says(words, pattern string) bool { return regexp.MustCompile(`(?i)` + pattern).MatchString(words) }
