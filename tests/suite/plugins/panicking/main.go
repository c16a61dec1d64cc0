// Fails in one of the ways that Go has.
package main

import (
	"errors"
	"fmt"

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
	default:
		return nil, nil
	}
}

func init() {
	sandbook.Step(run)
}

func main() {}
