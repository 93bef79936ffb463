package redact

import (
	"bytes"
	"crypto/md5"
	"hash/maphash"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	// shortest is the number of characters below which only the MD5 of a secret is blanked: blanking every "ab" would hide no secret and make the text
	// unreadable.
	shortest = 3
	// longLine is the number of characters beyond which a line of a secret is a secret of its own.
	longLine = 16
	// deepest is how many encodings, one upon the other, are undone.
	deepest = 4
	// effort limits how many bytes are decoded, as a multiple of the length of the text. The limit is at least leastEffort and at most mostEffort.
	effort, leastEffort, mostEffort = 64, 1 << 20, 32 << 20
)

// needles holds the secrets in the forms that are searched for in every view of a text. It is read-only. A nil needles is empty.
type needles struct {
	secrets []string
	texts   [][]byte // folded, see fold
	exact   [][]byte // MD5s, and secrets of which folding leaves too little
	least   int      // bytes of the shortest needle
	longest int      // bytes of the longest secret, or of an MD5
}

// span is a part of a text: text[from:to].
type span struct{ from, to int }

// with returns n together with the forms of secrets, or n itself if it knows them all.
func (n *needles) with(secrets []string) *needles {
	var more needles
	if n != nil {
		more = needles{slices.Clip(n.secrets), slices.Clip(n.texts), slices.Clip(n.exact), n.least, n.longest}
	}
	added := false
	for _, secret := range secrets {
		if slices.Contains(more.secrets, secret) {
			continue
		}
		more.secrets = append(more.secrets, secret)
		for _, text := range variants(secret) {
			switch length := utf8.RuneCountInString(strings.TrimSpace(text)); {
			case length >= shortest:
				more.add(text)
				added = true
			case length > 0:
				more.addSums(text)
				added = true
			}
		}
	}
	if !added {
		return n
	}
	return &more
}

// variants returns the texts that are as secret as secret: itself and trimmed. A secret with several lines adds variants with other line breaks and
// each long line alone, except for the lines that frame a PEM key, which are public. A long line adds its pieces, because a text may quote only some
// of them.
func variants(secret string) []string {
	all := []string{secret, strings.TrimSpace(secret)}
	lines := strings.NewReplacer("\r\n", "\n", `\r\n`, "\n", `\n`, "\n").Replace(secret)
	if strings.Contains(lines, "\n") {
		for _, text := range []string{lines, strings.TrimSpace(lines)} {
			all = append(all, text, strings.ReplaceAll(text, "\n", "\r\n"))
		}
		for line := range strings.Lines(lines) {
			line = strings.TrimSpace(line)
			if utf8.RuneCountInString(line) > longLine && !strings.HasPrefix(line, "-----") {
				all = append(all, line)
			}
		}
	}
	if line := []rune(strings.TrimSpace(secret)); len(line) >= 2*longLine && !strings.ContainsAny(string(line), " \n") {
		for piece := range slices.Chunk(line, longLine) {
			if len(piece) == longLine {
				all = append(all, string(piece))
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// add adds the forms of a text and of its MD5.
func (n *needles) add(text string) {
	n.longest = max(n.longest, len(text))
	latin := latin1(text)
	if folded := fold(plain(text)).bytes; tells(folded) {
		n.enter(&n.texts, folded)
		if latin != nil { // letters lost in a character set without them
			n.enter(&n.texts, fold(plain(unknownLetters(text))).bytes)
		}
	} else {
		n.enter(&n.exact, []byte(text))
		n.enter(&n.exact, latin)
	}
	n.addSums(text)
}

// addSums adds the MD5s of a text. They are needles of full length even if the text is too short to be one, and just as secret.
func (n *needles) addSums(text string) {
	n.longest = max(n.longest, md5.Size)
	for _, hashed := range []string{text, strings.ToUpper(text)} { // some vendors hash the text in capitals
		for _, form := range [][]byte{[]byte(hashed), latin1(hashed)} {
			if form != nil {
				sum := md5.Sum(form)
				n.enter(&n.exact, sum[:])
			}
		}
	}
}

// tells reports whether folding leaves enough of a text to recognise it: characters that are ASCII, and not only spaces.
func tells(folded []byte) bool {
	return len(folded)-bytes.Count(folded, []byte{foreign}) >= shortest && len(bytes.TrimLeft(folded, " \xff")) > 0
}

func (n *needles) enter(list *[][]byte, needle []byte) {
	if len(needle) < shortest || slices.ContainsFunc(*list, func(b []byte) bool { return bytes.Equal(b, needle) }) {
		return
	}
	*list = append(*list, needle)
	if n.least == 0 || len(needle) < n.least {
		n.least = len(needle)
	}
}

// latin1 returns text in Latin-1, or nil if that is the same or impossible.
func latin1(text string) []byte {
	b := make([]byte, 0, len(text))
	for _, r := range text {
		if r > 0xFF {
			return nil
		}
		b = append(b, byte(r))
	}
	if len(b) == len(text) {
		return nil
	}
	return b
}

// unknownLetters returns text with a question mark instead of each letter that is not ASCII.
func unknownLetters(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= utf8.RuneSelf {
			return '?'
		}
		return r
	}, text)
}

// foreign stands for any sequence of bytes that are not ASCII. It does not occur in UTF-8.
const foreign = 0xFF

// fold makes texts equal that only differ in how they are written. It folds three things:
//   - letters that are not ASCII, in UTF-8, in Latin-1, in one read as the other, or as U+FFFD;
//   - white space, including line breaks and tabs, of any length, and the plus, which stands for a space in a form;
//   - capitals, which a host's name loses and a key in digits may have.
func fold(v view) view {
	if !slices.ContainsFunc(v.bytes, func(b byte) bool { return b == '+' || white(b) || b >= utf8.RuneSelf || 'A' <= b && b <= 'Z' }) {
		return v
	}
	out := newView(len(v.bytes))
	for i, b := range v.bytes {
		switch last := len(out.bytes) - 1; {
		case (b == '+' || white(b)) && last >= 0 && out.bytes[last] == ' ':
			out.to[last] = v.to[i]
		case b == '+' || white(b):
			out.add(' ', &v, i, i)
		case 'A' <= b && b <= 'Z':
			out.add(b+'a'-'A', &v, i, i)
		case b < utf8.RuneSelf:
			out.add(b, &v, i, i)
		case last >= 0 && out.bytes[last] == foreign:
			out.to[last] = v.to[i]
		default:
			out.add(foreign, &v, i, i)
		}
	}
	return out
}

func white(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

// find returns where secrets are in text, in any order. It returns all of text if decoding takes more effort than allowed.
func (n *needles) find(text string) (found []span) {
	if n == nil || n.least == 0 || len(text) < n.least {
		return nil
	}
	left := min(max(effort*len(text), leastEffort), mostEffort)
	seed := maphash.MakeSeed()
	seen := map[uint64]bool{}
	decoders := decoders()
	views := []view{plain(text)}
	for depth := 0; ; depth++ {
		var next []view
		for _, v := range views {
			found = n.in(found, v)
			if depth == deepest {
				continue
			}
			for _, decode := range decoders {
				for _, read := range decode(&v, n.least) {
					hash := maphash.Bytes(seed, read.bytes)
					if len(read.bytes) < n.least || seen[hash] { // the same encodings may be undone in another order
						continue
					}
					seen[hash] = true
					if left -= len(read.bytes); left < 0 {
						return []span{{0, len(text)}}
					}
					next = append(next, read)
				}
			}
		}
		if views = next; len(views) == 0 {
			return found
		}
	}
}

// in appends the places of secrets in v to found.
func (n *needles) in(found []span, v view) []span {
	folded := fold(v)
	for _, needle := range n.texts {
		found = folded.search(found, needle)
	}
	for _, needle := range n.exact {
		found = v.search(found, needle)
	}
	return found
}

// search appends the places of needle in v to found.
func (v *view) search(found []span, needle []byte) []span {
	for at := 0; ; at++ {
		i := bytes.Index(v.bytes[at:], needle)
		if i < 0 {
			return found
		}
		at += i
		found = append(found, span{int(v.from[at]), int(v.to[at+len(needle)-1])})
	}
}
