"""The way to SQL: engines, tables, their versions, and what each database wants to be told its own way."""
