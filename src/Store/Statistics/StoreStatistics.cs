using System.Globalization;
using System.Text;

namespace GrayMQ.Store.Statistics;

/// <summary>
/// Counters for the broker's runtime info, under the names that RocketMQ's StoreStatsService gives them. Puts are counted
/// under the log's write lock, everything else is added atomically.
/// </summary>
public sealed class StoreStatistics
{
    // Seconds kept for the rates: the longest asked for is 600.
    private const int Samples = 601;

    // Upper bounds in ms; RocketMQ prints the count of each, in this order and with these words.
    private static readonly int[] PutTimeBoundsMs = [0, 10, 50, 100, 200, 500, 1_000, 2_000, 3_000, 4_000, 5_000, 10_000];
    private static readonly string[] PutTimeNames =
    [
        "[<=0ms]", "[0~10ms]", "[10~50ms]", "[50~100ms]", "[100~200ms]", "[200~500ms]", "[500ms~1s]",
        "[1~2s]", "[2~3s]", "[3~4s]", "[4~5s]", "[5~10s]", "[10s~]",
    ];

    private readonly TimeProvider _time;
    private readonly long _bootTimestampMs;
    private readonly long[] _putTimeCounts = new long[PutTimeNames.Length];
    private readonly Lock _sampleLock = new();
    private readonly Sample[] _samples = new Sample[Samples];
    private int _sampleCount;

    private long _putTimes;
    private long _putBytes;
    private long _putFailed;
    private long _putTimeMaxMs;
    private long _getFound;
    private long _getMiss;
    private long _getMessages;

    internal StoreStatistics(TimeProvider time)
    {
        _time = time;
        _bootTimestampMs = time.GetUtcNow().ToUnixTimeMilliseconds();
    }

    /// <summary>Messages appended.</summary>
    public long PutTimesTotal => Volatile.Read(ref _putTimes);

    /// <summary>Bytes of records appended.</summary>
    public long PutBytesTotal => Volatile.Read(ref _putBytes);

    public long PutFailedTimes => Volatile.Read(ref _putFailed);

    /// <summary>Longest append, ms.</summary>
    public long PutTimeMaxMs => Volatile.Read(ref _putTimeMaxMs);

    /// <summary>Reads that found something.</summary>
    public long GetFoundTimes => Volatile.Read(ref _getFound);

    public long GetMissTimes => Volatile.Read(ref _getMiss);

    /// <summary>Messages read.</summary>
    public long GetMessagesTotal => Volatile.Read(ref _getMessages);

    /// <summary>Counts of appends by duration, as "[&lt;=0ms]:12 [0~10ms]:3 …".</summary>
    public string PutTimeDistribution()
    {
        var text = new StringBuilder();
        for (int i = 0; i < PutTimeNames.Length; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"{PutTimeNames[i]}:{Volatile.Read(ref _putTimeCounts[i])} ");
        }

        return text.ToString();
    }

    /// <summary>Adds these figures to a broker's runtime info.</summary>
    internal void AddTo(IDictionary<string, string> info)
    {
        long put = PutTimesTotal;
        TimeSpan up = TimeSpan.FromMilliseconds(_time.GetUtcNow().ToUnixTimeMilliseconds() - _bootTimestampMs);
        info["bootTimestamp"] = Text(_bootTimestampMs);
        info["runtime"] = $"[ {up.Days} days, {up.Hours} hours, {up.Minutes} minutes, {up.Seconds} seconds ]";
        info["putMessageEntireTimeMax"] = Text(PutTimeMaxMs);
        info["putMessageTimesTotal"] = Text(put);
        info["putMessageFailedTimes"] = Text(PutFailedTimes);
        info["putMessageSizeTotal"] = Text(PutBytesTotal);
        info["putMessageDistributeTime"] = PutTimeDistribution();
        info["putMessageAverageSize"] = ((double)PutBytesTotal / Math.Max(put, 1)).ToString(CultureInfo.InvariantCulture);
        info["putTps"] = Rates(static sample => sample.Put);
        info["getFoundTps"] = Rates(static sample => sample.Found);
        info["getMissTps"] = Rates(static sample => sample.Miss);
        info["getTotalTps"] = Rates(static sample => sample.Found + sample.Miss);
        info["getTransferredTps"] = Rates(static sample => sample.Transferred);
    }

    /// <param name="elapsedMs">What writing them took, all together, by a clock that may be set back meanwhile.</param>
    internal void OnPut(int messages, int bytes, long elapsedMs)
    {
        // One writer at a time: plain additions, published for readers.
        Volatile.Write(ref _putTimes, _putTimes + messages);
        Volatile.Write(ref _putBytes, _putBytes + bytes);
        int bucket = 0;
        while (bucket < PutTimeBoundsMs.Length && elapsedMs > PutTimeBoundsMs[bucket])
        {
            bucket++;
        }

        _putTimeCounts[bucket] += messages;
        if (elapsedMs > _putTimeMaxMs)
        {
            Volatile.Write(ref _putTimeMaxMs, elapsedMs);
        }
    }

    internal void OnPutFailed() => Interlocked.Increment(ref _putFailed);

    internal void OnRead(int messages)
    {
        if (messages > 0)
        {
            Interlocked.Increment(ref _getFound);
            Interlocked.Add(ref _getMessages, messages);
        }
        else
        {
            Interlocked.Increment(ref _getMiss);
        }
    }

    /// <summary>Takes a sample for the rates; called every second.</summary>
    internal void TakeSample()
    {
        lock (_sampleLock)
        {
            _samples[_sampleCount++ % Samples] = new Sample(
                _time.GetUtcNow().ToUnixTimeMilliseconds(), PutTimesTotal, GetFoundTimes, GetMissTimes, GetMessagesTotal);
        }
    }

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);

    // The rates over the last 10, 60 and 600 seconds; what is not known yet is left out, as RocketMQ does.
    private string Rates(Func<Sample, long> counter)
    {
        lock (_sampleLock)
        {
            return string.Create(
                CultureInfo.InvariantCulture, $"{Rate(counter, 10)} {Rate(counter, 60)} {Rate(counter, 600)}");
        }
    }

    private string Rate(Func<Sample, long> counter, int seconds)
    {
        if (_sampleCount <= seconds)
        {
            return "";
        }

        Sample last = _samples[(_sampleCount - 1) % Samples];
        Sample before = _samples[(_sampleCount - 1 - seconds) % Samples];
        long elapsedMs = last.TimestampMs - before.TimestampMs;
        double rate = elapsedMs <= 0 ? 0 : (counter(last) - counter(before)) * 1000.0 / elapsedMs;
        return rate.ToString(CultureInfo.InvariantCulture);
    }

    private readonly record struct Sample(long TimestampMs, long Put, long Found, long Miss, long Transferred);
}
