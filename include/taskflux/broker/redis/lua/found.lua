-- Begins a queue's life on its server, which has it for the first time, or has been emptied. After that `NEW` is not answered.
-- in:  KEYS queue HASH
--      ARGV a random text, by which this life is told from others
-- out: {'OK'}
-- O(1).
call('HSETNX', keys.queue, 'life', ARGV[1])
call('HSETNX', keys.queue, 'seq', 0)
return {'OK'}
