// A step that does nothing.
package main

import "step/sandbook"

type Input struct{}

func run(_ sandbook.Context, _ Input) (*sandbook.Done, error) {
	return &sandbook.Done{Data: struct{}{}}, nil
}

func init() {
	sandbook.Step(run)
}

func main() {}
