-- The schedules of the queue. {'OK', now, {[id, text] of each}}
return {'OK', now, call('HGETALL', S)}
