package embedding

// vectorSum holds, by model name, the sum over two vectors.
var vectorSum = map[string]string{
	"local@1": "2e7bca370653a8bf",
}
