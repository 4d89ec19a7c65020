using System.Text;
using GrayMQ.Broker.Gray;
using GrayMQ.Broker.Sending;
using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Messages;
using GrayMQ.Protocol.Names;
using GrayMQ.Store.Appending;
using GrayMQ.Store.Reading;
using GrayMQ.Store.Timers;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Delays;

/// <summary>
/// Delivers pending messages when they are due: appends each to its topic, with a pointer back at the record that waited, which is what
/// removes it from the pending ones. One thread does so, and writes down what the timer store has gathered. Where the store refuses,
/// the message stays pending and is tried again.
/// </summary>
internal sealed class TimerDelivery : IDisposable
{
    // Due entries looked for at a time.
    private const int BatchMessages = 1024;

    // Delivered messages whose entries are still there, mostly because the disk does not have the delivery yet.
    private const int MaxInFlight = 500_000;

    // Entries removed at a time: while they are, nothing is delivered.
    private const int MaxRemovals = 2048;

    // What comes within this time is written together.
    private const int GatherMs = 2;

    // How often it is looked whether the clock was set, or the disk has what was waited for.
    private const int LookMs = 50;

    // How soon after a refusal it is tried again.
    private const int RetryMs = 500;

    private readonly TimerStore _timers;
    private readonly Func<bool> _mayDeliver;
    private readonly MessageIntake _intake;
    private readonly TopicTable _topics;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly AutoResetEvent _changed = new(false);
    private readonly ManualResetEvent _stop = new(false);
    private readonly TimerEntry[] _due = new TimerEntry[BatchMessages];
    private readonly MessageSlices _slices = new();
    private readonly PostponedTimers _postponed = new();
    private readonly Thread _thread;
    private bool _refused;
    private string? _deletedTopic;
    private long _delivered;

    /// <param name="mayDeliver">Is it known what was delivered already? Asked by the thread that delivers, until it is.</param>
    public TimerDelivery(
        TimerStore timers,
        Func<bool> mayDeliver,
        MessageIntake intake,
        TopicTable topics,
        TimeProvider time,
        ILogger<TimerDelivery> logger)
    {
        _timers = timers;
        _mayDeliver = mayDeliver;
        _intake = intake;
        _topics = topics;
        _time = time;
        _logger = logger;
        _thread = new Thread(Run) { Name = "timer-delivery", IsBackground = true };
        timers.Changed += OnChanged;
    }

    /// <summary>Messages delivered since the start.</summary>
    public long Delivered => Volatile.Read(ref _delivered);

    public void Start()
    {
        _timers.IsDriven = true;
        _thread.Start();
    }

    /// <summary>Stops delivering; what is due stays pending.</summary>
    public void Stop()
    {
        _stop.Set();
        if (_thread.IsAlive)
        {
            _thread.Join();
        }

        _timers.IsDriven = false;
    }

    public void Dispose()
    {
        Stop();
        _timers.Changed -= OnChanged;
        _slices.Dispose();
        _changed.Dispose();
        _stop.Dispose();
    }

    private void OnChanged() => _changed.Set();

    private void Run()
    {
        WaitHandle[] both = [_stop, _changed];
        while (!_stop.WaitOne(0))
        {
            int waitMs = RunOnce();
            if (waitMs != 0 && WaitHandle.WaitAny(both, waitMs) == 1)
            {
                _stop.WaitOne(GatherMs);
            }
        }
    }

    // Returns how long nothing will be to do, ms; -1 until something changes.
    private int RunOnce()
    {
        try
        {
            if (_timers.HasChanges)
            {
                _timers.Apply(MaxRemovals);
            }

            if (!_mayDeliver())
            {
                return LookMs;
            }

            long nowMs = NowMs();
            if (_postponed.Count > 0)
            {
                _postponed.TakeDue(nowMs).ForEach(entry => _timers.LookAgainFrom(entry));
            }

            bool mayDeliver = _timers.InFlightCount < MaxInFlight;
            if (mayDeliver && _timers.NextDueMs <= nowMs && !Deliver(nowMs))
            {
                return RetryMs;
            }

            long untilMs = _timers.NextDueMs == long.MaxValue ? long.MaxValue : _timers.NextDueMs - nowMs;
            return (untilMs <= 0 && mayDeliver) || _timers.HasChanges ? 0
                : untilMs == long.MaxValue && !_timers.AwaitsDisk && _postponed.Count == 0 ? Timeout.Infinite
                : (int)Math.Clamp(untilMs, 1, LookMs);
        }
        catch (IOException e)
        {
            Log.TimersFailed(_logger, e);
            return RetryMs;
        }
        catch (Exception e)
        {
            Log.TimerThreadFailed(_logger, e);
            return RetryMs;
        }
    }

    // False if the store takes nothing now.
    private bool Deliver(long nowMs)
    {
        int count = _timers.FindDue(nowMs, _due);
        for (int i = 0; i < count; i++)
        {
            if (!_postponed.Contains(_due[i]) && !TrySettle(_due[i], nowMs))
            {
                // The rest was found, but not taken.
                _timers.LookAgainFrom(_due[i]);
                return false;
            }
        }

        return true;
    }

    // False if nothing could be appended. What fails for its own sake holds up no other.
    private bool TrySettle(in TimerEntry entry, long nowMs)
    {
        try
        {
            return Settle(entry, nowMs);
        }
        catch (Exception e)
        {
            if (_postponed.TryAdd(entry, nowMs, out long waitMs))
            {
                Log.TimerPostponed(_logger, e, entry.PhysicalOffset, entry.DueMs, waitMs);
                return true;
            }

            Log.TimersFailed(_logger, e);
            return false;
        }
    }

    // False if nothing could be appended.
    private bool Settle(in TimerEntry entry, long nowMs)
    {
        if (!_timers.TryReadRecord(entry, _slices)
            || !StoredMessage.TryRead(_slices[0], out StoredMessage message, out _))
        {
            Log.TimerRecordGone(_logger, entry.PhysicalOffset, entry.DueMs);
            _timers.Discard(entry, default);
            return true;
        }

        ReadOnlySpan<byte> realTopic = TimerStore.RealTopicOf(message);
        if (!_timers.Agrees(entry, message))
        {
            Log.TimerRecordGone(_logger, entry.PhysicalOffset, entry.DueMs);
            _timers.Discard(entry, realTopic);
            return true;
        }

        if (!_timers.TryTake(entry, realTopic))
        {
            return true;
        }

        AppendStatus status;
        try
        {
            status = Append(message, entry.IsRoll, entry.Level, realTopic, nowMs);
        }
        catch
        {
            _timers.GiveBack(entry);
            throw;
        }

        switch (status)
        {
            case AppendStatus.Ok:
                Volatile.Write(ref _delivered, _delivered + 1);
                SetRefused(false, status);
                return true;
            case AppendStatus.MessageIllegal or AppendStatus.PropertiesSizeExceeded:
                Log.TimerUndeliverable(_logger, entry.PhysicalOffset, Encoding.UTF8.GetString(realTopic), status);
                _timers.Discard(entry, realTopic);
                return true;
            default:
                _timers.GiveBack(entry);
                SetRefused(true, status);
                return false;
        }
    }

    private AppendStatus Append(in StoredMessage message, bool isRoll, int level, ReadOnlySpan<byte> realTopic, long nowMs)
    {
        Topic? topic = isRoll ? _topics.Find(TopicNames.WheelTimer) : _topics.Find(realTopic);
        if (topic is { IsForbiddenToSend: true } && !isRoll)
        {
            // What waits for one of the broker's own topics was not put there by a broker.
            return AppendStatus.MessageIllegal;
        }

        ReadOnlySpan<byte> name = topic is null ? realTopic : topic.NameUtf8.Span;
        int queueId = isRoll ? 0 : DueProperties.QueueOf(message, topic?.Config);
        if (level > 0)
        {
            return Append(topic, name, queueId, message, message.Properties);
        }

        var properties = new MessagePropertiesEditor(message.Properties);
        try
        {
            DueProperties.SetTimes(ref properties, message, nowMs);
            if (isRoll)
            {
                DueProperties.SetRoll(ref properties, DueRule.DeliverMs(message));
                GrayAcceptance.Keep(ref properties, message);
            }

            // Better without the times than not at all.
            bool fits = properties.Bytes.Length <= MessagePropertiesCodec.MaxBytes;
            return Append(topic, name, queueId, message, fits ? properties.Bytes : message.Properties);
        }
        finally
        {
            properties.Dispose();
        }
    }

    private AppendStatus Append(
        Topic? topic, ReadOnlySpan<byte> name, int queueId, in StoredMessage message, ReadOnlySpan<byte> properties)
    {
        MessageAppend append = _intake.Copy(in message, properties) with { PreparedTransactionOffset = ~message.PhysicalOffset };
        if (topic is not null)
        {
            return _intake.Append(topic, queueId, append).Status;
        }

        AppendStatus status = _intake.AppendToDeleted(name, queueId, append).Status;
        if (status == AppendStatus.Ok)
        {
            SayDeleted(Encoding.UTF8.GetString(name));
        }

        return status;
    }

    // Said once for the messages of a topic that come one behind the other.
    private void SayDeleted(string topic)
    {
        if (_deletedTopic != topic)
        {
            _deletedTopic = topic;
            Log.TimerTopicDeleted(_logger, topic);
        }
    }

    // Said once for as long as it lasts.
    private void SetRefused(bool refused, AppendStatus status)
    {
        if (_refused != refused)
        {
            _refused = refused;
            if (refused)
            {
                Log.TimersRefused(_logger, status);
            }
            else
            {
                Log.TimersTakenAgain(_logger);
            }
        }
    }

    private long NowMs() => _time.GetUtcNow().ToUnixTimeMilliseconds();
}
