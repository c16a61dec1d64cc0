package sandbook

import (
	"errors"
	"fmt"
	"time"

	"step/build/bindings/imports/sandbook_step_types"

	wit "go.bytecodealliance.org/pkg/wit/types"
)

// Kind is why a step failed. The first four are not tried again, the others are.
type Kind = sandbook_step_types.FailureKind

// The kinds of failure.
const (
	InvalidInput = sandbook_step_types.FailureKind_InvalidInput
	Unauthorized = sandbook_step_types.FailureKind_Unauthorized
	NotFound     = sandbook_step_types.FailureKind_NotFound
	Conflict     = sandbook_step_types.FailureKind_Conflict
	RateLimited  = sandbook_step_types.FailureKind_RateLimited
	Unavailable  = sandbook_step_types.FailureKind_Unavailable
	TimedOut     = sandbook_step_types.FailureKind_TimedOut
	Failed       = sandbook_step_types.FailureKind_Failed
)

// Failure is a step's failure, to be returned as its error.
type Failure struct {
	Kind Kind
	// A name for machines, the plugin's or the service's own; or nothing.
	Code    string
	Message string
	// How long to wait before the next attempt; nil where nobody said.
	RetryAfter *time.Duration
	// What was sent so far is known to have had no effect: the next attempt sends it anew.
	StartOver bool
}

// Fail makes a failure.
func Fail(kind Kind, format string, parts ...any) *Failure {
	return &Failure{Kind: kind, Message: fmt.Sprintf(format, parts...)}
}

// WithCode gives it a name for machines.
func (failure *Failure) WithCode(code string) *Failure {
	failure.Code = code
	return failure
}

// Error is its message.
func (failure *Failure) Error() string { return failure.Message }

// IsHeldBack is whether a request was held back: this is a dry run, and it could have changed something. A step that goes
// on shows what it would ask for next.
func IsHeldBack(err error) bool {
	var failure *Failure
	return errors.As(err, &failure) && failure.Code == "HeldBack"
}

func failed(err error) result {
	var failure *Failure
	if !errors.As(err, &failure) {
		failure = Fail(Failed, "%v", err)
	}
	told := sandbook_step_types.Failure{
		Kind:       failure.Kind,
		Code:       wit.None[string](),
		Message:    valid(err.Error()),
		RetryAfter: wit.None[uint64](),
		StartOver:  failure.StartOver,
	}
	if failure.Code != "" {
		told.Code = wit.Some(valid(failure.Code))
	}
	if failure.RetryAfter != nil {
		told.RetryAfter = wit.Some(milliseconds(*failure.RetryAfter))
	}
	return wit.Err[sandbook_step_types.Output, sandbook_step_types.Failure](told)
}
