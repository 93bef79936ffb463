package harness

// Rule is one requirement for every run, whatever is tested.
type Rule string

// The rules. Each says what a [Problem] is about.
const (
	Purity       Rule = "purity"        // every line of stdout is one message of the protocol: JSON, UTF-8, ended by a newline
	Quiet        Rule = "quiet"         // stderr is empty
	Exits        Rule = "exits"         // the exit code is 0 without a TRACE ERROR, and not 0 with one
	Answers      Rule = "answers"       // spec, check and discover answer once, and no other command gives such an answer
	PlainSecret  Rule = "plain secret"  // no secret is in an output as it is
	HiddenSecret Rule = "hidden secret" // no secret is in an output in an encoding, nor a telling part of one
	Foreign      Rule = "foreign"       // no message is of a stream that is not in the configured catalog
	Fields       Rule = "fields"        // a record has no field that its schema lacks
	Data         Rule = "data"          // a record has data
	Keys         Rule = "keys"          // a record has its primary key
	Types        Rule = "types"         // a value has the type and the format of its schema
	Changes      Rule = "changes"       // meta.changes says which field was changed, how and why, and the record confirms it
	Emitted      Rule = "emitted"       // emitted_at is now, in whole milliseconds
	States       Rule = "states"        // a state is STREAM or GLOBAL
	Counts       Rule = "counts"        // sourceStats counts the records since the state before
	Distinct     Rule = "distinct"      // no two states of a stream are equal
	Statuses     Rule = "statuses"      // STARTED, RUNNING before the first record, COMPLETE or INCOMPLETE, and nothing after that
	Covered      Rule = "covered"       // the records of a complete stream are covered by a state
	Echoes       Rule = "echoes"        // a destination emits states, and neither records nor statuses
	House        Rule = "house"         // what the connectors of this repository promise in addition
)

// Problem is one violation of a rule by a run.
type Problem struct {
	Rule Rule
	Text string // a sentence, with the offending line if there is one
	Line string // the beginning of the offending line; "" if no line is at fault
}
