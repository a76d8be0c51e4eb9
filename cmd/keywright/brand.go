package main

import (
	"fmt"
	"io"
	"os"

	"github.com/keywright/keywright/internal/pages"
	"github.com/keywright/keywright/internal/settings"
)

// brand reads the images that the settings name, and refuses a brand that
// people could not read.
func brand(s *settings.Settings) (pages.Brand, error) {
	b := pages.Brand{
		Name: s.Brand.Name, Primary: s.Brand.Primary, PrimaryDark: s.Brand.PrimaryDark, Page: s.Brand.Background, PageDark: s.Brand.BackgroundDark,
		Radius: s.Brand.Radius,
	}
	if b.Radius == 0 {
		b.Radius = -1 // to pages, 0 is not set
	}
	for _, l := range s.Brand.Links {
		b.Links = append(b.Links, pages.Link{Name: l.Name, URL: l.URL})
	}
	for _, image := range []struct {
		key, path string
		to        *[]byte
	}{{"brand_logo", s.Brand.Logo, &b.Logo}, {"brand_logo_dark", s.Brand.LogoDark, &b.LogoDark}} {
		if image.path == "" {
			continue
		}
		content, err := readSmallFile(image.path)
		if err != nil {
			return b, badConfig("%s: %w", image.key, err)
		}
		*image.to = content
	}
	if _, err := pages.New(b); err != nil {
		return b, coded{err, exitConfig}
	}
	return b, nil
}

// maxSmallFile is more than any image or key set may have.
const maxSmallFile = 100 << 10

func readSmallFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxSmallFile+1))
	if err == nil && len(content) > maxSmallFile {
		err = fmt.Errorf("%s is larger than %d KiB", path, maxSmallFile>>10)
	}
	return content, err
}
