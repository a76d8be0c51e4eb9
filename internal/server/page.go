package server

import (
	"net/http"

	"github.com/keywright/keywright/internal/pages"
)

// page sends HTML to a person, in a language that they read.
func (x *exchange) page(status int, p pages.Page) {
	language := pages.Choose(x.r.URL.Query().Get("ui_locales"), x.r.Header.Get("Accept-Language"))
	html, err := x.server.pages.Render(language, p)
	if err != nil {
		x.broke(err)
		return
	}
	h := x.w.Header()
	h["Content-Type"] = htmlType
	h["Content-Security-Policy"] = ownStyle
	h["Cache-Control"] = noStore
	x.write(status, html)
}

var (
	htmlType = []string{"text/html; charset=utf-8"}
	cssType  = []string{"text/css; charset=utf-8"}
	ownStyle = []string{nothingLoads[0] + "; style-src 'self'"}
)

// style is the style sheet of every page.
func (s *Server) style(x *exchange) {
	h := x.w.Header()
	h["Content-Type"] = cssType
	h["Cache-Control"] = publicFor5Minutes
	x.write(http.StatusOK, s.pages.Style())
}

// gallery shows every page in every state with sample data, in dev only.
func (s *Server) gallery() routeTable {
	var names []string
	var table routeTable
	for _, state := range pages.Gallery() {
		names = append(names, state.Name)
		table = append(table, route{"GET", "/dev/pages/" + state.Name, page, withNobody, func(x *exchange) { x.page(http.StatusOK, state.Page) }})
	}
	return append(table, route{"GET", "/dev/pages", page, withNobody, func(x *exchange) { x.page(http.StatusOK, pages.Index{States: names}) }})
}
