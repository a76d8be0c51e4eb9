// Package pages renders the HTML that people see: a struct for each page is all
// that the page knows, a template beside it is all that it shows. Pages work
// without JavaScript, with a keyboard and with a screen reader, in light and
// dark, on a phone. The package imports nothing of ours and decides nothing.
//
//	pages.go      rendering, and the content security policy that goes with it
//	page.go       what each page knows
//	brand.go      name, logo and colours, checked for contrast
//	language.go   one file a language, in text/
//	gallery.go    every page in every state, with sample data
package pages
