package file

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// rewatch is how long Watch waits before it looks again for a folder that went.
const rewatch = 10 * time.Second

// Watch calls changed at every change in the folder or below, until ctx ends. A folder that is not there is waited for.
func (s *Source) Watch(ctx context.Context, changed func()) error {
	for {
		gone, err := s.watch(ctx, changed)
		if !gone {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(rewatch):
			changed()
		}
	}
}

// watch watches until ctx ends or the folder goes.
func (s *Source) watch(ctx context.Context, changed func()) (gone bool, err error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return false, fmt.Errorf("watch folder %s: %w", s.dir, err)
	}
	defer w.Close()
	if err := s.addFolders(w, s.dir); err != nil {
		return true, err
	}
	changed() // what came before the watch stood
	for {
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case e, ok := <-w.Events:
			if !ok {
				return true, nil
			}
			if e.Has(fsnotify.Create) {
				// A folder, perhaps with files in it already. That it is a file, or gone again, is no matter.
				_ = s.addFolders(w, e.Name)
			}
			if e.Op != fsnotify.Chmod {
				changed()
			}
			if len(w.WatchList()) == 0 {
				return true, nil
			}
		case err, ok := <-w.Errors:
			if !ok {
				return true, nil
			}
			// The queue ran over: changes may be lost, so everything is looked at.
			s.log.Debug("Watching the folder", "err", err)
			changed()
		}
	}
}

// addFolders watches a folder and those below it, except hidden ones.
func (s *Source) addFolders(w *fsnotify.Watcher, dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && path == dir:
			return err
		case err != nil || !d.IsDir():
			return nil
		case path != s.dir && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		}
		if err := w.Add(path); err != nil {
			if path == s.dir {
				return fmt.Errorf("watch folder %s: %w", path, err)
			}
			s.log.Warn("Folder is not watched, only read at the interval", "dir", path, "err", err)
		}
		return nil
	})
}
