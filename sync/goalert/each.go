package goalert

import (
	"context"
	"maps"

	"nightstand/sync/provider"
	"nightstand/sync/web"
)

// each reads a list of one kind to its end, which the operation calls “list”.
// A list that is not whole is an error.
func each[T any](ctx context.Context, p *Provider, q question, search map[string]any, take func(T) error) error {
	after := ""
	for range mostPieces {
		var answer struct {
			List struct {
				Nodes []*T     `json:"nodes"`
				Info  pageInfo `json:"pageInfo"`
			} `json:"list"`
		}
		if _, err := p.ask(ctx, q.searching(search, after), &answer); err != nil {
			return err
		}
		piece := answer.List
		if piece.Nodes == nil || piece.Info.More == nil {
			return p.nonsense("a list that is not whole")
		}
		for _, one := range piece.Nodes {
			if one == nil {
				return p.nonsense("a list with holes")
			}
			if err := take(*one); err != nil {
				return err
			}
		}
		if !*piece.Info.More {
			return nil
		}
		if piece.Info.End == "" || piece.Info.End == after {
			return p.nonsense("a list that never ends")
		}
		after = piece.Info.End
	}
	return p.client.Failure(provider.Broken, web.Request{Asks: true}, "has a longer list than can be read", "Look at its own pages.", nil)
}

// searching is the same question for what comes after this place of a list.
func (q question) searching(search map[string]any, after string) question {
	from := maps.Clone(search)
	if after != "" {
		from["after"] = after
	}
	asked := map[string]any{"search": from}
	maps.Copy(asked, q.variables)
	q.variables = asked
	return q
}
