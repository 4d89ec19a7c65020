using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace GrayMQ.Chaos.Rolling;

/// <summary>
/// What a consumer group was given of a topic. A message that comes twice is told apart by whether an ack or a commit of it had been
/// accepted: then it must not come again; otherwise it may.
/// </summary>
/// <param name="name">The group.</param>
/// <param name="sends">What was sent to its topic.</param>
/// <param name="inOrder">Whether the messages of each producer have to come in the order in which they were sent.</param>
/// <param name="tellsConfirmed">Whether its client says when an ack or a commit was accepted; if not, every repetition counts as confirmed.</param>
internal sealed class GroupRecord(string name, SendRecord sends, Timeline timeline, bool tellsConfirmed, bool inOrder = false)
{
    private readonly ConcurrentDictionary<string, bool> _received = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> _confirmed = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<string> _problems = new();
    private readonly ConcurrentDictionary<string, int> _lastByProducer = new(StringComparer.Ordinal);
    private readonly Lock _gaps = new();
    private long _repeated;
    private long _repeatedConfirmed;
    private long _last = Stopwatch.GetTimestamp();
    private bool _measures;

    public string Name => name;

    public string Topic => sends.Topic;

    public int ReceivedCount => _received.Count;

    /// <summary>Messages that came again, whatever had been confirmed.</summary>
    public long Repeated => Volatile.Read(ref _repeated);

    /// <summary>Messages that came again though they had been confirmed.</summary>
    public long RepeatedConfirmed => Volatile.Read(ref _repeatedConfirmed);

    /// <summary>What must not be: messages that were rolled back, or out of order.</summary>
    public IReadOnlyCollection<string> Problems => _problems;

    /// <summary>The longest time without a message while messages were sent.</summary>
    public TimeSpan LongestGap { get; private set; }

    /// <summary>The series of messages that the group is given.</summary>
    public string Series => $"given {name}";

    /// <summary>Messages that were acknowledged to their producers and have not come.</summary>
    public IReadOnlyList<string> Missing => [.. sends.Acknowledged.Where(body => !_received.ContainsKey(body))];

    /// <summary>From now on gaps count, or no longer.</summary>
    public void Measure(bool on)
    {
        lock (_gaps)
        {
            _last = Stopwatch.GetTimestamp();
            _measures = on;
        }
    }

    public void Receive(string body)
    {
        timeline.Add(Series, 1);
        lock (_gaps)
        {
            TimeSpan gap = Stopwatch.GetElapsedTime(_last);
            _last = Stopwatch.GetTimestamp();
            if (_measures && gap > LongestGap)
            {
                LongestGap = gap;
            }
        }

        if (sends.IsRolledBack(body))
        {
            _problems.Enqueue($"{body} was rolled back and came");
        }

        if (!_received.TryAdd(body, true))
        {
            Interlocked.Increment(ref _repeated);
            if (!tellsConfirmed || _confirmed.ContainsKey(body))
            {
                Interlocked.Increment(ref _repeatedConfirmed);
                _problems.Enqueue($"{timeline.Seconds:F1} s: {body} came again");
            }
        }
        else if (inOrder)
        {
            CheckOrder(body);
        }
    }

    /// <summary>An ack or a commit of the message was accepted.</summary>
    public void Confirm(string body) => _confirmed[body] = true;

    // producer-number
    private void CheckOrder(string body)
    {
        int dash = body.LastIndexOf('-');
        int number = int.Parse(body.AsSpan(dash + 1), CultureInfo.InvariantCulture);
        int before = _lastByProducer.GetValueOrDefault(body[..dash], -1);
        if (number < before)
        {
            _problems.Enqueue($"{timeline.Seconds:F1} s: {body} came after number {before}");
        }

        _lastByProducer[body[..dash]] = Math.Max(before, number);
    }
}
