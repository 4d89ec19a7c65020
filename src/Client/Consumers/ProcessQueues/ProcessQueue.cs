using System.Numerics;
using GrayMQ.Client.Sessions;
using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Client.Consumers.ProcessQueues;

/// <summary>
/// What a consumer holds of one queue: the messages that were pulled and are not handled yet, and with that the offset up to which the
/// queue is done. Messages come in the order of their offsets and are completed in any. A ring of slots: the head is the first
/// message that is not handled.
/// </summary>
/// <remarks>
/// One instance is one assignment of the queue: when it is taken away, or its offset is set, the instance is dropped, and from then on
/// reports no progress, whatever is still being handled.
/// </remarks>
internal sealed class ProcessQueue
{
    private const int InitialSlots = 64;

    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _closeSignal = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Pulse _completed;
    private readonly Pulse _arrived;
    private readonly Action<MessageQueue, long> _progress;
    private readonly TimeProvider _time;
    private Slot[] _slots = new Slot[InitialSlots];
    private int _head;
    private int _used;
    private int _unhandled;
    private long _bytes;
    private long _lastOffset = -1;
    private long _nextOffset;
    private long _lastConsumeMs;
    private volatile bool _closed;
    private volatile bool _dropped;

    /// <param name="progress">Called with <see cref="CommittableOffset"/> when it may have grown; must be quick.</param>
    public ProcessQueue(MessageQueue queue, long startOffset, Action<MessageQueue, long> progress, TimeProvider time)
    {
        Queue = queue;
        _progress = progress;
        _nextOffset = startOffset;
        _time = time;
        _completed = new Pulse(time);
        _arrived = new Pulse(time);
    }

    public MessageQueue Queue { get; }

    /// <summary>No further message is to be handed out; what is being handled still counts.</summary>
    public bool IsClosed => _closed;

    /// <summary>No longer this consumer's: what is handled from now on is not committed.</summary>
    public bool IsDropped => _dropped;

    /// <summary>Messages that are not handled.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _unhandled;
            }
        }
    }

    /// <summary>Bytes of their bodies.</summary>
    public long Bytes
    {
        get
        {
            lock (_lock)
            {
                return _bytes;
            }
        }
    }

    /// <summary>
    /// The offset up to which everything is handled or was not meant for this consumer: that of the first unhandled message, or where
    /// to pull next when there is none.
    /// </summary>
    public long CommittableOffset
    {
        get
        {
            lock (_lock)
            {
                return Committable();
            }
        }
    }

    /// <summary>Has no further message handed out.</summary>
    public void Close()
    {
        _closed = true;
        _closeSignal.TrySetResult();
        _arrived.Wake();
        _completed.Wake();
    }

    /// <summary>Ends the assignment: no further message is handed out, and no progress is reported.</summary>
    public void Drop()
    {
        lock (_lock)
        {
            _dropped = true;
        }

        Close();
    }

    /// <summary>
    /// Takes in what a pull found. Messages that were taken in before are passed over: a broker may be asked for them twice.
    /// </summary>
    /// <param name="messages">In the order of their offsets.</param>
    /// <param name="nextOffset">Where to pull next: messages in between were not meant for this consumer.</param>
    /// <returns>Those that are new.</returns>
    public IReadOnlyList<ReceivedMessage> Add(IReadOnlyList<ReceivedMessage> messages, long nextOffset)
    {
        List<ReceivedMessage>? fresh = null;
        lock (_lock)
        {
            for (int i = 0; i < messages.Count; i++)
            {
                ReceivedMessage message = messages[i];
                if (message.QueueOffset <= _lastOffset)
                {
                    fresh ??= [.. messages.Take(i)];
                    continue;
                }

                fresh?.Add(message);
                Append(message);
            }

            _nextOffset = nextOffset;
            Report();
        }

        _arrived.Wake();
        return fresh ?? messages;
    }

    /// <summary>Nothing is there up to this offset.</summary>
    public void Advance(long nextOffset)
    {
        lock (_lock)
        {
            _nextOffset = nextOffset;
            Report();
        }
    }

    /// <summary>Marks messages as handled.</summary>
    public void Complete(IReadOnlyList<ReceivedMessage> messages)
    {
        lock (_lock)
        {
            foreach (ReceivedMessage message in messages)
            {
                int index = Find(message.QueueOffset);
                if (index < 0)
                {
                    continue;
                }

                ref Slot slot = ref _slots[index];
                if (slot.Message is { } unhandled)
                {
                    _bytes -= unhandled.Body.Length;
                    _unhandled--;
                    slot.Message = null;
                }
            }

            while (_used > 0 && _slots[_head].Message is null)
            {
                _head = (_head + 1) & (_slots.Length - 1);
                _used--;
            }

            _lastConsumeMs = NowMs();
            Report();
        }

        _completed.Wake();
    }

    /// <summary>The first unhandled messages, which stay until they are completed.</summary>
    public IReadOnlyList<ReceivedMessage> Peek(int most)
    {
        var first = new List<ReceivedMessage>(most);
        lock (_lock)
        {
            for (int i = 0; i < _used && first.Count < most; i++)
            {
                if (_slots[(_head + i) & (_slots.Length - 1)].Message is { } message)
                {
                    first.Add(message);
                }
            }
        }

        return first;
    }

    /// <summary>Returns when something has arrived or the queue has been closed, at the latest after the time given.</summary>
    public Task WaitForMessagesAsync(TimeSpan atMost, CancellationToken cancel) => _arrived.WaitAsync(atMost, cancel);

    /// <summary>Returns when something has been completed or the queue has been closed, at the latest after the time given.</summary>
    public Task WaitForRoomAsync(TimeSpan atMost, CancellationToken cancel) => _completed.WaitAsync(atMost, cancel);

    /// <summary>Returns when the queue has been closed, at the latest after the time given.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task WaitUntilClosedAsync(TimeSpan atMost, CancellationToken cancel)
    {
        await _closeSignal.Task.WaitAsync(atMost, _time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancel.ThrowIfCancellationRequested();
    }

    /// <summary>Whether more should be pulled.</summary>
    /// <param name="maxSpan">Offsets between the first unhandled message and the last one; null does not matter.</param>
    public bool HasRoom(int maxCount, long maxBytes, long? maxSpan)
    {
        lock (_lock)
        {
            return _unhandled <= maxCount
                && _bytes <= maxBytes
                && (maxSpan is not { } span || _used == 0 || _lastOffset - _slots[_head].Offset <= span);
        }
    }

    /// <summary>What tools are told of it.</summary>
    public ProcessQueueInfo Describe(long committedOffset, long lastPullMs)
    {
        const int BytesPerMiB = 1024 * 1024;
        lock (_lock)
        {
            return new ProcessQueueInfo
            {
                CommitOffset = committedOffset,
                CachedMsgMinOffset = _used == 0 ? 0 : _slots[_head].Offset,
                CachedMsgMaxOffset = _used == 0 ? 0 : _lastOffset,
                CachedMsgCount = _unhandled,
                CachedMsgSizeInMiB = (int)(_bytes / BytesPerMiB),
                Dropped = IsDropped,
                LastPullTimestamp = lastPullMs,
                LastConsumeTimestamp = _lastConsumeMs,
            };
        }
    }

    private void Report()
    {
        if (!_dropped)
        {
            _progress(Queue, Committable());
        }
    }

    private long Committable() => _used == 0 ? Math.Max(_nextOffset, _lastOffset + 1) : _slots[_head].Offset;

    private void Append(ReceivedMessage message)
    {
        if (_used == _slots.Length)
        {
            var larger = new Slot[BitOperations.RoundUpToPowerOf2((uint)_slots.Length + 1)];
            for (int i = 0; i < _used; i++)
            {
                larger[i] = _slots[(_head + i) & (_slots.Length - 1)];
            }

            _slots = larger;
            _head = 0;
        }

        _slots[(_head + _used) & (_slots.Length - 1)] = new Slot { Offset = message.QueueOffset, Message = message };
        _used++;
        _unhandled++;
        _bytes += message.Body.Length;
        _lastOffset = message.QueueOffset;
    }

    // The slot of an offset, or -1. Offsets grow along the ring.
    private int Find(long offset)
    {
        int low = 0;
        int high = _used - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            int index = (_head + middle) & (_slots.Length - 1);
            long there = _slots[index].Offset;
            if (there == offset)
            {
                return index;
            }

            if (there < offset)
            {
                low = middle + 1;
            }
            else
            {
                high = middle - 1;
            }
        }

        return -1;
    }

    private long NowMs() => _time.GetUtcNow().ToUnixTimeMilliseconds();

    private struct Slot
    {
        public long Offset;

        // Null once it is handled.
        public ReceivedMessage? Message;
    }
}
