module example.org/go_format

go 1.27
