-- a file that ends too early says where the block began
return plan {
  name = "syntax-end", api = 1, summary = "It ends too early.",
  role "node" {
