# The job that sidekiq.rb submits and runs.
require 'sidekiq'

class Judge
  include Sidekiq::Worker

  def perform(reading, answer_to = nil)
    at = Process.clock_gettime(Process::CLOCK_MONOTONIC, :nanosecond)
    Sidekiq.redis { |server| server.lpush(answer_to, at) } if answer_to
    reading['value'] < 90
  end
end
