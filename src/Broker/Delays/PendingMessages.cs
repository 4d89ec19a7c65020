using GrayMQ.Broker.Sending;
using GrayMQ.Broker.States;
using GrayMQ.Broker.Topics;
using GrayMQ.Store;
using GrayMQ.Store.Dispatching;
using GrayMQ.Store.Timers;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Delays;

/// <summary>
/// Everything that concerns delayed messages while they wait: opened before the message store, which it follows, and attached to
/// it once that is open.
/// </summary>
internal sealed class PendingMessages : IDisposable
{
    private readonly RocketMqTimers _rocketMq;
    private readonly DueRule _rule;
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private MessageStore? _messages;
    private TimerDelivery? _delivery;
    private bool _isLive;

    private PendingMessages(DelayOptions options, RocketMqTimers rocketMq, StateStore states, TimeProvider time, ILoggerFactory loggers)
    {
        Options = options;
        _rocketMq = rocketMq;
        _rule = new DueRule(options.Levels, options.RollWindowMs);
        _time = time;
        _loggers = loggers;
        _logger = loggers.CreateLogger<PendingMessages>();
        Timers = new TimerStore(
            states.Values, states.Timers, states.TimerCounts, states.Progress, _rule, rocketMq, loggers.CreateLogger<TimerStore>());
        TagsCodes = new ScheduleTagsCodes(_rule);
    }

    public DelayOptions Options { get; }

    /// <summary>Follows the log.</summary>
    public TimerStore Timers { get; }

    /// <summary>For the message store's queues.</summary>
    public ITagsCodeRule TagsCodes { get; }

    /// <summary>There once attached.</summary>
    public TimerDelivery Delivery => _delivery ?? throw new InvalidOperationException("not attached to a message store");

    /// <exception cref="IOException">The state or one of RocketMQ's files cannot be read.</exception>
    public static PendingMessages Open(
        DelayOptions options, string rootDirectory, string configDirectory, StateStore states, TimeProvider time, ILoggerFactory loggers) =>
        new(
            options,
            RocketMqTimers.Read(rootDirectory, configDirectory, states, loggers.CreateLogger<RocketMqTimers>()),
            states,
            time,
            loggers);

    /// <summary>The message store is open, and nothing was appended yet.</summary>
    /// <exception cref="IOException">What it has shown could not be written down.</exception>
    public void Attach(MessageStore messages, MessageIntake intake, TopicTable topics)
    {
        _messages = messages;
        Timers.OnOpened(messages.OpenedAtOffset);
        TryGoLive();
        _delivery = new TimerDelivery(Timers, TryGoLive, intake, topics, _time, _loggers.CreateLogger<TimerDelivery>());
    }

    public void Start() => Delivery.Start();

    /// <summary>Nothing is delivered any more.</summary>
    public void Stop() => _delivery?.Stop();

    /// <summary>Writes down where RocketMQ would go on; when nothing is delivered any more.</summary>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public void Save()
    {
        if (_messages is not null && _isLive)
        {
            Timers.Apply();
            _rocketMq.Write(Timers, _messages, Options.Levels.Max, _time.GetUtcNow().ToUnixTimeMilliseconds());
        }
    }

    // Where a full disk stopped it, the store opens before everything was shown that it holds: until it was, what was delivered may seem to
    // be pending, and RocketMQ's files to be ahead of the queues.
    private bool TryGoLive()
    {
        if (_isLive || !_messages!.IsCaughtUp)
        {
            return _isLive;
        }

        Timers.Apply();
        if (_rocketMq.IsAheadOf(_messages))
        {
            _rocketMq.Write(Timers, _messages, Options.Levels.Max, _time.GetUtcNow().ToUnixTimeMilliseconds());
        }

        if (_rocketMq.HasNews)
        {
            int count = Timers.RemoveDone(_rocketMq);
            if (count > 0)
            {
                Log.TimersDeliveredElsewhere(_logger, count);
            }

            _rocketMq.SetKnown();
        }

        _isLive = true;
        return true;
    }

    public void Dispose()
    {
        _delivery?.Dispose();
        Timers.Dispose();
    }
}
