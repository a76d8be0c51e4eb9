package main

// keepFilesPrivate does nothing: a file has the permissions of its folder.
func keepFilesPrivate() {}
