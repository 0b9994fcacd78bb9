.read change.sql
