package brazil

import (
	"regexp"
	"strings"
	"sync"

	"github.com/imob-data/airbyte-connectors/common/record"
)

const (
	// kinds are what the rows of lists are, and owners are that or what such rows belong to.
	kinds = `registro|linha|resultado|[ií]te[mn]|dado|contrato|boleto|im[oó]ve[li]|vistoria|neg[oó]cio|proposta|lan[cç]amento|oportunidade|` +
		`qualifica[cç]|tarefa|compromisso|contato|pessoa|fornecedor|interessado|economia|unidade|condom[ií]nio|filia[li]|loja|ag[eê]ncia|taxa|` +
		`documento|t[ií]tulo|inadimpl|d[eé]bito|pend[eê]ncia|notifica[cç]`
	owners = kinds + `|cliente|propriet[aá]rio|locador|locat[aá]rio|fiador|comprador|vendedor|pesquisa|consulta|busca`
	kind   = `(?:` + kinds + `)\pL*(?: d[eoa]s? (?:` + kinds + `|loca[cç]|alugu|venda|administra[cç]|cobran[cç])\pL*)?`
	owner  = `(?:[oa]s? |es[st][ea] )?(?:` + owners + `)\pL*`
	is     = `(?:encontrad|localizad|retornad|exist|cadastrad|registrad|pendente|dispon[ií]ve|em (?:aberto|atraso))\pL*`
	// end is what may follow: a place, a purpose, or the field that an error is about. An account without a valid contract is a different case.
	end = `(?: (?:para|n[oa]s?|nes[st]\pL*|com (?:[oae])\pL*|que (?:atend|satisf|correspond)\pL*)(?: [^.:;!()]+)?)?` +
		`[ .!]*(?:(?:verifique|confira|revise|altere) [^.:;!()]+[ .!]*)?(?:\([^()]*\))?$`

	calls     = `a[cç][aã]o|action|m[eé]todo|method|servi[cç]o|fun[cç][aã]o`
	unheardOf = `n[aã]o (foi |[eé] )?(encontrad|localizad|exist|implementad|reconhecid|conhecid|suportad|cadastrad|v[aá]lid)|` +
		`inv[aá]lid|desconhecid|inexist|unknown|invalid|not (found|implemented|supported|known)`
)

// The words of errors are no contract, so a vendor that documents codes is judged by the codes. In doubt, words match nothing: an error that is not
// understood is a failure, but one that is misunderstood may become an empty table.
var (
	denied = pattern(`(?i)permiss|permitid|permite|acesso|autoriza|direito|privil[eé]gio|habilitad|liberad|negad|proibid|restrit|denied|` +
		`not allowed|forbidden`)
	noAction = pattern(`(?i)(^|\PL)(` + calls + `)\PL+((informad|solicitad|requisitad|pedid|chamad)[ao]\PL+)?` +
		`((?-i:[A-Z][A-Z0-9_]{3,})\PL+)?(is )?(` + unheardOf + `)|(unknown|invalid|desconhecid[ao]|inv[aá]lid[ao]|inexistente) (` + calls + `)(\PL|$)`)
	crowded = pattern(`(?i)sess(ão|ao|ões|oes|ion).*(limit|m[aá]xim|simult|exced|ating)|(limit|m[aá]xim|simult|exced).*sess`)
	ended   = pattern(`(?i)sess(ão|ao|ion).*(expir|encerr|finaliz|perdid|inv[aá]lid|inexist|desconhecid|invalid|unknown|not found|` +
		`n[aã]o (foi |[eé] |est[aá] )?(encontrad|localizad|exist|reconhecid|conhecid|iniciad|v[aá]lid|ativ))|(expir|encerr)\pL*.*sess|` +
		`n[aã]o (est[aá] )?(logad|conectad|autenticad)|(login|usu[aá]rio) n[aã]o (foi )?(encontrad|localizad|exist|cadastrad)`)
	nothing = pattern(`(?i)^(?:` + owner + `(?: informad[oa]| selecionad[oa])? )?(?:nenhuma? ` + kind + `(?: (?:foi )?` + is + `)?|` +
		`n[aã]o fo(?:i|ram) (?:encontrad|localizad)[oa]s? (?:mais |nenhuma? )?` + kind + `|` +
		`(?:n[aã]o (?:h[aá]|existem?|possu(?:i|em)|t[eê]m|retornou|encontrou|localizou)|sem) (?:mais |nenhuma? )?` + kind + `(?: ` + is + `)?|` +
		`no (?:more )?(?:records?|rows?|results?|proposals?)(?: (?:was |were )?(?:found|available|returned))?)` + end)
	passing = pattern(`(?i)erro interno|internal error|banco de dados|database|time-?out|tempo.*(esgotad|excedid)|indispon|unavailable|` +
		`tente (novamente|outra vez|de novo|mais tarde)|try again`)
	missing = pattern(`(?i)^(?:c[oó]digo d[eoa] )?` + owner + `(?: [^.:;!()]{1,40})? (?:n[aã]o (?:foi |est[aá] |mais )?` +
		`(?:encontrad|localizad|exist|cadastrad)\pL*|inexistente)` + end + `|^nenhuma? ` + owner + `(?: foi)? (?:encontrad|localizad)\pL*` + end + `|` +
		`^(?:record|row|proposal|opportunity) [^.:;!()]{0,40}not found`)
	fine = pattern(`(?i)(^|\PL)(ok|sucesso|success\pL*|[eê]xito|conclu[ií]d[ao]|realizad[ao]|completed|0)(\PL|$)`)
	// troubled matches topics that never occur in a sentence that says that there are no rows.
	troubled = pattern(`(?i)sess(ão|ao|ões|oes|ion)|licen[cç]|token|chave|m[oó]dulo|servidor|conex|comunica[cç]|integra[cç]|assinatura|` +
		`plano|suspens|tabela de|tempo (limite|esgot|exced)|time-?out|indispon|(^|\PL)(erro|error|falha|tente|login|api)(\PL|$)`)
)

// pattern returns a matcher of texts. It is compiled at the first use, because most runs never see an error.
func pattern(text string) func(string) bool {
	compiled := sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(text) })
	return func(s string) bool { return s != "" && compiled().MatchString(s) }
}

// Words returns the words of an answer's errors. all is a list of errors or a single one. The words of an error are its member text, with its member
// field, which names what the error is about, in brackets.
func Words(all record.Value, text, field string) string {
	list := all.Array()
	if list == nil {
		list = []record.Value{all}
	}
	var words []string
	for _, one := range list {
		said := strings.TrimSuffix(strings.TrimSpace(one.Get(text).Text()), ".") + " (" + one.Get(field).Text() + ")"
		words = append(words, strings.TrimSpace(strings.TrimSuffix(said, "()")))
	}
	return strings.Join(words, "; ")
}

// Denied reports whether the words of an error say that a user may not do what was asked.
func Denied(words string) bool { return denied(words) }

// NoSession reports whether words say that a user has as many sessions as allowed. This passes when one of them ends.
func NoSession(words string) bool { return crowded(words) }

// Ended reports whether words say that a session has ended, or that nobody is logged in.
func Ended(words string) bool { return !NoSession(words) && ended(words) }

// Nothing reports whether words say that there are no rows, or no more of them, and nothing else.
func Nothing(words string) bool { return quiet(words) && nothing(words) }

// quiet reports whether words are not about the user, the session, or a failure.
func quiet(words string) bool { return !Denied(words) && !Ended(words) && !troubled(words) }

// Fine reports whether words say that all went well, or that the number of something is 0.
func Fine(words string) bool {
	return quiet(words) && !passing(words) && !missing(words) && fine(words)
}

// NoAction reports whether words say that a server does not know the requested action.
func NoAction(words string) bool {
	return !Denied(words) && !Ended(words) && noAction(words)
}

// Passing reports whether words say that a server failed or was too busy, so that a retry may help.
func Passing(words string) bool { return !Denied(words) && !Ended(words) && passing(words) }

// NoRow reports whether words say that a requested row does not exist, and nothing else.
func NoRow(words string) bool {
	return quiet(words) && !NoAction(words) && missing(words) || Nothing(words)
}
