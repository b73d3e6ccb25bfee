# Sidekiq, ten threads. It keeps no results and takes a job off its queue before it runs it. For the latency of a
# result, the job answers over a list of its own.
require 'json'
require 'sidekiq'
require 'sidekiq/cli'
require_relative 'sidekiq_judge'

VERB, PORT, TASKS = ARGV[0], ARGV[1].to_i, ARGV[2].to_i
$stdout.sync = true

def now
  Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)
end

def payload(number)
  {'sensor' => 'boiler-007-outlet-a', 'at' => 1_700_000_000_000 + number, 'value' => 21.5}
end
raise 'the payload is not of 64 bytes' unless JSON.generate(payload(0)).size == 64

# Says that this part is set up, and returns when it shall begin.
def ready
  puts 'ready'
  exit unless $stdin.gets
end

def done(first, last)
  puts "done #{first} #{last}"
end

# Counts to TASKS.
class Counter
  @mutex = Mutex.new
  @count = 0
  class << self
    attr_accessor :first

    def ended
      @mutex.synchronize { @count += 1 } == TASKS && done(first, now)
    end
  end

  def call(_worker, _job, _queue)
    yield
    Counter.ended
  end
end

Sidekiq.logger.level = Logger::FATAL
redis = {url: "redis://127.0.0.1:#{PORT}/0"}
Sidekiq.configure_client { |config| config.redis = redis }
Sidekiq.configure_server do |config|
  config.redis = redis
  config.server_middleware { |chain| chain.add Counter }
  config.on(:startup) do
    ready
    Counter.first = now
  end
end

case VERB
when 'work'
  cli = Sidekiq::CLI.instance
  cli.parse(['--concurrency', '10', '--environment', 'production', '--require', "#{__dir__}/sidekiq_judge.rb"])
  cli.run
when 'enqueue'
  Sidekiq.redis(&:ping)
  ready
  first = now
  (0...TASKS).each_slice(1000) do |numbers|
    Sidekiq::Client.push_bulk('class' => Judge, 'args' => numbers.map { |i| [payload(i)] })
  end
  done(first, now)
when 'latency'
  Sidekiq.redis(&:ping)
  ready
  TASKS.times do |i|
    sleep 0.004
    first = now
    Judge.perform_async(payload(i), 'answer')
    at = Sidekiq.redis { |server| server.brpop('answer') }.last.to_i
    puts "sample #{at - first} #{now - first}"
  end
  done(0, 0)
end
