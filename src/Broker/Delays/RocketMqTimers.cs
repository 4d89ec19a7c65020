using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using GrayMQ.Broker.Metadata;
using GrayMQ.Broker.States;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Messages;
using GrayMQ.Protocol.Names;
using GrayMQ.Store;
using GrayMQ.Store.ConsumeQueues;
using GrayMQ.Store.Reading;
using GrayMQ.Store.Timers;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Broker.Delays;

/// <summary>
/// What RocketMQ's own files say of pending messages, and what they have to say for RocketMQ to go on: <c>config/delayOffset.json</c> is
/// how far each level's queue was delivered, <c>config/timercheck</c> how far the timer topic was read and the wheel has turned. What
/// they say stays true for good, whoever wrote them: what lies before those places is done.
/// </summary>
internal sealed class RocketMqTimers : ITimerHistory
{
    private const string TimerCheckName = "timercheck";
    private const string WheelName = "timerwheel";
    private const string WheelLogName = "timerlog";

    // lastReadTimeMs, lastTimerLogFlushPos, lastTimerQueueOffset, masterTimerQueueOffset (RocketMQ: TimerCheckpoint)
    private const int TimerCheckBytes = 4 * sizeof(long);

    // RocketMQ maps a page of it.
    private const int TimerCheckFileBytes = 4096;

    // When exactly RocketMQ has rolled a message is not known: so close to its stop it is taken for not rolled, to lose nothing.
    private const long RollToleranceMs = 10_000;

    private static readonly byte[] FingerprintKey = "timers.files"u8.ToArray();

    private readonly string _root;
    private readonly ConfigFile _delayOffsets;
    private readonly string _timerCheckPath;
    private readonly StateStore _states;
    private readonly ILogger _logger;
    private Dictionary<int, long> _levelOffsets = [];
    private long _readToMs;
    private long _timerQueueOffset;

    private RocketMqTimers(string rootDirectory, string configDirectory, StateStore states, ILogger logger)
    {
        _root = rootDirectory;
        _delayOffsets = new ConfigFile(configDirectory, ConfigFile.DelayOffsets);
        _timerCheckPath = Path.Combine(configDirectory, TimerCheckName);
        _states = states;
        _logger = logger;
    }

    /// <summary>Have the files been written by somebody else since <see cref="Write"/>? Then pending messages may have been delivered.</summary>
    public bool HasNews { get; private set; }

    /// <summary>Reads the files, where there are any.</summary>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static RocketMqTimers Read(string rootDirectory, string configDirectory, StateStore states, ILogger logger)
    {
        var timers = new RocketMqTimers(rootDirectory, configDirectory, states, logger);
        timers.ReadLevels();
        timers.ReadTimerCheck();
        byte[]? known = states.Values.Get(states.Progress, FingerprintKey);
        timers.HasNews = known is null || Encoding.UTF8.GetString(known) != timers.Fingerprint();
        return timers;
    }

    public bool IsDone(in StoredMessage message, in TimerEntry entry) => entry.Level > 0
        ? message.QueueOffset < _levelOffsets.GetValueOrDefault(message.QueueId + 1)
        : message.QueueOffset < _timerQueueOffset && entry.DueMs + (entry.IsRoll ? RollToleranceMs : 0) < _readToMs;

    /// <summary>
    /// Do the files name places that the queues have not come to? Then they are of another log, which was lost or put away, and say
    /// nothing of what is stored now (RocketMQ: ScheduleMessageService.correctDelayOffset).
    /// </summary>
    public bool IsAheadOf(MessageStore messages) =>
        _timerQueueOffset > (messages.FindQueue(TopicNames.WheelTimer, 0)?.MaxOffset ?? 0)
        || _levelOffsets.Any(level => level.Value > (messages.FindQueue(TopicNames.Schedule, level.Key - 1)?.MaxOffset ?? 0));

    /// <summary>
    /// Writes where RocketMQ has to go on: at the first pending message of each level, and of the timer topic. Its wheel and the log of
    /// that are of another time: it makes them anew from the topic.
    /// </summary>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public void Write(TimerStore timers, MessageStore messages, int levels, long nowMs)
    {
        Dictionary<int, long> offsets = EndOffsets(messages, levels);
        long timerOffset = messages.FindQueue(TopicNames.WheelTimer, 0)?.MaxOffset ?? 0;
        using var slices = new MessageSlices();
        foreach ((int level, long physicalOffset) in timers.FirstOffsets())
        {
            if (!messages.TryReadMessage(physicalOffset, slices) || !StoredMessage.TryRead(slices[0], out StoredMessage message, out _))
            {
                continue;
            }

            if (level == 0)
            {
                timerOffset = message.QueueOffset;
            }
            else
            {
                offsets[level] = message.QueueOffset;
            }
        }

        var wrapper = new DelayOffsetSerializeWrapper { DataVersion = new DataVersion(0, 0, nowMs), OffsetTable = offsets };
        _delayOffsets.Write(IndentedJson.Format(BodyCodec.Encode(wrapper)));
        WriteTimerCheck(timerOffset, nowMs);
        _levelOffsets = offsets;
        _timerQueueOffset = timerOffset;
        _readToMs = nowMs;
        File.Delete(Path.Combine(_root, WheelName));
        if (Directory.Exists(Path.Combine(_root, WheelLogName)))
        {
            Directory.Delete(Path.Combine(_root, WheelLogName), recursive: true);
        }

        SetKnown();
    }

    /// <summary>What the files say was taken into account.</summary>
    public void SetKnown() =>
        _states.Values.Put(_states.Progress, FingerprintKey, Encoding.UTF8.GetBytes(Fingerprint()));

    private static Dictionary<int, long> EndOffsets(MessageStore messages, int levels)
    {
        var offsets = new Dictionary<int, long>();
        for (int level = 1; level <= levels; level++)
        {
            if (messages.FindQueue(TopicNames.Schedule, level - 1) is LogicQueue queue)
            {
                offsets[level] = queue.MaxOffset;
            }
        }

        return offsets;
    }

    private void ReadLevels()
    {
        try
        {
            _levelOffsets = _delayOffsets.Read<DelayOffsetSerializeWrapper>(_logger)?.OffsetTable ?? [];
        }
        catch (MetadataException e)
        {
            Log.TimerHistoryBroken(_logger, _delayOffsets.Path, e.Message);
        }
    }

    private void ReadTimerCheck()
    {
        if (!File.Exists(_timerCheckPath))
        {
            return;
        }

        byte[] bytes = File.ReadAllBytes(_timerCheckPath);
        if (bytes.Length < TimerCheckBytes)
        {
            Log.TimerHistoryBroken(
                _logger, _timerCheckPath, string.Create(CultureInfo.InvariantCulture, $"it has {bytes.Length} bytes"));
            return;
        }

        _readToMs = BinaryPrimitives.ReadInt64BigEndian(bytes);
        _timerQueueOffset = BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(2 * sizeof(long)));
    }

    private void WriteTimerCheck(long queueOffset, long nowMs)
    {
        byte[] bytes = new byte[TimerCheckFileBytes];
        TimerCheck.Write(bytes, queueOffset, nowMs);
        using var file = new FileStream(_timerCheckPath, FileMode.Create, FileAccess.Write);
        file.Write(bytes);
        file.Flush(flushToDisk: true);
    }

    private string Fingerprint() => _delayOffsets.Fingerprint()
        + " " + (File.Exists(_timerCheckPath) ? ConfigFile.FingerprintOf(File.ReadAllBytes(_timerCheckPath)) : ConfigFile.Absent);
}
