// Package pages renders the HTML that people see: a struct for each page is all
// that the page knows, a template beside it is all that it shows. Pages work
// without JavaScript, with a keyboard and with a screen reader, in light and
// dark, on a phone. The package imports nothing of ours and decides nothing.
//
//	pages.go      rendering, what pages load, and what they let a browser load
//	page.go       what each page knows
//	form.go       what a form says back, and how it is had in another language
//	failure.go    what went wrong, and how a value differs from what is registered
//	flows.go      the last flows as sequence pictures, in dev
//	brand.go      name, logo, colours and links, checked for contrast
//	language.go   one file a language, in text/
//	gallery.go    every page in every state, with sample data
package pages
