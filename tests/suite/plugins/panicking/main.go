// Fails in one of the ways that Go has.
package main

import (
	"errors"
	"fmt"
	"time"

	"step/sandbook"
)

type Input struct {
	How string `json:"how"`
}

func run(_ sandbook.Context, input Input) (*sandbook.Done, error) {
	switch input.How {
	case "error":
		return nil, errors.New("an error like others")
	case "wrapped":
		return nil, fmt.Errorf("the group: %w", sandbook.Fail(sandbook.Conflict, "it is locked").WithCode("Locked"))
	case "panic":
		panic("no way on")
	case "nil":
		var none *Input
		return nil, errors.New(none.How)
	case "torn":
		// A span that is less than nothing, and a text that is no UTF-8.
		sandbook.Sleep(-time.Second)
		sandbook.Info("\xff")
		return nil, errors.New("half a character: \xe2\x82")
	default:
		return nil, nil
	}
}

func init() {
	sandbook.Step(run)
}

func main() {}
