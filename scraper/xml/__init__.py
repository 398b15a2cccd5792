"""Reading a document as XML: by namespaces, without entities, without anything from outside of it."""
