// Package sandbook is the contract, made convenient: what a step is, failures, HTTP, log lines.
package sandbook

import (
	"encoding/json"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"step/build/bindings/exports/export_step"
	// The component's export.
	_ "step/build/bindings/exports/wit_exports"
	"step/build/bindings/imports/sandbook_step_log"
	"step/build/bindings/imports/sandbook_step_progress"
	"step/build/bindings/imports/sandbook_step_timer"
	"step/build/bindings/imports/sandbook_step_types"

	wit "go.bytecodealliance.org/pkg/wit/types"
)

// Context is what a step may know about the run that it is a part of. Times are milliseconds since 1970, UTC.
type Context = sandbook_step_types.Context

// Done is what a step that succeeded has to say.
type Done struct {
	// The outputs: what encoding/json writes as an object. Unsaid, there are none.
	Data any
	// Whether anything in the world is different from before.
	Changed bool
	// What was done, in one line.
	Summary string
}

type result = wit.Result[sandbook_step_types.Output, sandbook_step_types.Failure]

// Step makes a function the component's step. Called once, from an init function.
//
// Any error is a failure: a *Failure as it says, another one of the kind Failed. So is a panic in the goroutine that
// the step is called in, with its stack in the log. A panic in another one, os.Exit and a deadlock end the attempt as
// a crash.
func Step[Input any](run func(Context, Input) (*Done, error)) {
	export_step.Run = func(context Context, input string) (ended result) {
		defer func() {
			if cause := recover(); cause != nil {
				Error("panic: %v\n%s", cause, debug.Stack())
				ended = failed(Fail(Failed, "panic: %v", cause).WithCode("Panic"))
			}
		}()
		var given Input
		if err := json.Unmarshal([]byte(input), &given); err != nil {
			return failed(Fail(InvalidInput, "the input is not what the plugin takes: %v", err).WithCode("InputMismatch"))
		}
		done, err := run(context, given)
		if err != nil {
			return failed(err)
		}
		if done == nil {
			done = &Done{}
		}
		data := []byte("{}")
		if done.Data != nil {
			if data, err = json.Marshal(done.Data); err != nil {
				return failed(err)
			}
		}
		return wit.Ok[sandbook_step_types.Output, sandbook_step_types.Failure](sandbook_step_types.Output{
			Data: valid(string(data)), Changed: done.Changed, Summary: valid(done.Summary),
		})
	}
}

// Debug writes a line for whoever mends the plugin.
func Debug(format string, parts ...any) { write(sandbook_step_log.Level_Debug, format, parts) }

// Info writes a line about what is going on.
func Info(format string, parts ...any) { write(sandbook_step_log.Level_Info, format, parts) }

// Warn writes a line about something odd.
func Warn(format string, parts ...any) { write(sandbook_step_log.Level_Warn, format, parts) }

// Error writes a line about something wrong.
func Error(format string, parts ...any) { write(sandbook_step_log.Level_Error, format, parts) }

// A message of several lines is as many lines.
func write(level sandbook_step_log.Level, format string, parts []any) {
	message := strings.TrimSuffix(fmt.Sprintf(format, parts...), "\n")
	for line := range strings.SplitSeq(message, "\n") {
		sandbook_step_log.Write(level, valid(line))
	}
}

// Progress replaces what is shown beside the step while it runs.
func Progress(format string, parts ...any) {
	sandbook_step_progress.Report(valid(fmt.Sprintf(format, parts...)), wit.None[float32]())
}

// Sleep waits, as time.Sleep does; in a test neither takes any time.
func Sleep(span time.Duration) {
	sandbook_step_timer.Sleep(milliseconds(span))
}

// Remaining is what is left of the attempt's time. A step that waits should give up a little before.
func Remaining(context Context) time.Duration {
	return time.Until(time.UnixMilli(int64(context.Deadline)))
}

// A text for the engine, which takes nothing but UTF-8.
func valid(text string) string { return strings.ToValidUTF8(text, "\ufffd") }

// A span for the engine: none is less than nothing.
func milliseconds(span time.Duration) uint64 { return uint64(max(0, span.Milliseconds())) }
