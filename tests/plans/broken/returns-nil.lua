-- a file that returns nil
return nil
