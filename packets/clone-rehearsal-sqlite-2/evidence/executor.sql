-- Model of the executor: the change files it runs, in order.
.read change.sql
