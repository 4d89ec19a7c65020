using System.Buffers;
using System.Buffers.Text;
using GrayMQ.Remoting.Dispatch;
using GrayMQ.Store.Pops;
using GrayMQ.Store.Reading;

namespace GrayMQ.Broker.Popping;

/// <summary>
/// What one pop gathers from the queues that it goes through: the messages, and the texts from which clients make handles. One per
/// thread, used for one pop after the other; <see cref="Clear"/> gives the leases of the messages back.
/// </summary>
internal sealed class PopWork : IBodyWriter
{
    private const byte QueueSeparator = (byte)';';
    private const byte FieldSeparator = (byte)' ';

    [ThreadStatic]
    private static PopWork? _ofThread;

    private readonly List<MessageSlices> _slices = [];
    private readonly List<Part> _parts = [];
    private readonly ArrayBufferWriter<byte> _startOffsets = new(256);
    private readonly ArrayBufferWriter<byte> _messageOffsets = new(1024);
    private readonly ArrayBufferWriter<byte> _orderCounts = new(256);
    private readonly ArrayBufferWriter<byte> _rewritten = new(256);
    private int _usedSlices;

    public static PopWork OfThread => _ofThread ??= new PopWork();

    public long PopTimeMs { get; private set; }

    /// <summary>Messages handed out.</summary>
    public int Count { get; private set; }

    /// <summary>Messages that are left in the queues gone through.</summary>
    public long Rest { get; set; }

    /// <summary>Queues that others were at.</summary>
    public bool IsContended { get; set; }

    /// <summary>A queue gave nothing because the group has too much in hand.</summary>
    public bool IsLimited { get; set; }

    /// <summary>What went wrong at a queue; null when nothing did.</summary>
    public string? Failure { get; set; }

    public int Length { get; private set; }

    public ReadOnlyMemory<byte> StartOffsetInfo => _startOffsets.WrittenMemory;

    public ReadOnlyMemory<byte> MessageOffsetInfo => _messageOffsets.WrittenMemory;

    public ReadOnlyMemory<byte> OrderCountInfo => _orderCounts.WrittenMemory;

    public void Begin(long popTimeMs)
    {
        Clear();
        PopTimeMs = popTimeMs;
    }

    /// <summary>Slices to read a queue's messages into; they are part of the answer once they are added.</summary>
    public MessageSlices NextSlices()
    {
        if (_usedSlices == _slices.Count)
        {
            _slices.Add(new MessageSlices());
        }

        return _slices[_usedSlices];
    }

    /// <summary>Adds the messages of the slices that <see cref="NextSlices"/> gave last, as they are stored.</summary>
    public void Add(MessageSlices slices)
    {
        _usedSlices++;
        Count += slices.Count;
        Length += slices.TotalBytes;
        _parts.Add(new Part(slices, default));
    }

    /// <summary>Adds the messages of the slices, rewritten as a client that popped their topic expects them.</summary>
    public void AddRewritten(MessageSlices slices, RetriedMessages rewriter)
    {
        Count += slices.Count;
        int start = _rewritten.WrittenCount;
        for (int i = 0; i < slices.Count; i++)
        {
            rewriter.Write(slices[i], _rewritten);
        }

        int length = _rewritten.WrittenCount - start;
        Length += length;
        _parts.Add(new Part(null, new Range(start, start + length)));
        slices.Clear();
    }

    public void AddOffsets(byte kind, int queueId, long startOffset, ReadOnlySpan<long> offsets)
    {
        BeginQueue(_startOffsets, kind);
        Append(_startOffsets, queueId);
        Append(_startOffsets, FieldSeparator);
        Append(_startOffsets, startOffset);

        BeginQueue(_messageOffsets, kind);
        Append(_messageOffsets, queueId);
        for (int i = 0; i < offsets.Length; i++)
        {
            Append(_messageOffsets, i == 0 ? FieldSeparator : (byte)',');
            Append(_messageOffsets, offsets[i]);
        }
    }

    /// <summary>How often messages were handed out before: of each that was, and for old clients the least of all.</summary>
    public void AddOrderCounts(byte kind, OrderedBatch ordered)
    {
        int least = int.MaxValue;
        for (int i = 0; i < ordered.Offsets.Length; i++)
        {
            int count = ordered.Deliveries[i];
            least = Math.Min(least, count);
            if (count == 0)
            {
                continue;
            }

            BeginQueue(_orderCounts, kind);
            _orderCounts.Write("qo"u8);
            Append(_orderCounts, ordered.Queue.QueueId);
            Append(_orderCounts, (byte)'%');
            Append(_orderCounts, ordered.Offsets[i]);
            Append(_orderCounts, FieldSeparator);
            Append(_orderCounts, count);
        }

        BeginQueue(_orderCounts, kind);
        Append(_orderCounts, ordered.Queue.QueueId);
        Append(_orderCounts, FieldSeparator);
        Append(_orderCounts, least);
    }

    public void WriteTo(IBufferWriter<byte> output)
    {
        foreach (Part part in _parts)
        {
            if (part.Slices is not null)
            {
                part.Slices.CopyTo(output);
            }
            else
            {
                output.Write(_rewritten.WrittenSpan[part.Rewritten]);
            }
        }
    }

    public void Clear()
    {
        for (int i = 0; i < _slices.Count; i++)
        {
            _slices[i].Clear();
        }

        _usedSlices = 0;
        _parts.Clear();
        _startOffsets.ResetWrittenCount();
        _messageOffsets.ResetWrittenCount();
        _orderCounts.ResetWrittenCount();
        _rewritten.ResetWrittenCount();
        Count = 0;
        Rest = 0;
        Length = 0;
        IsContended = false;
        IsLimited = false;
        Failure = null;
    }

    private static void BeginQueue(ArrayBufferWriter<byte> text, byte kind)
    {
        if (text.WrittenCount > 0)
        {
            Append(text, QueueSeparator);
        }

        Append(text, kind);
        Append(text, FieldSeparator);
    }

    private static void Append(ArrayBufferWriter<byte> text, byte character)
    {
        text.GetSpan(1)[0] = character;
        text.Advance(1);
    }

    private static void Append(ArrayBufferWriter<byte> text, long number)
    {
        const int MaxDigits = 20;
        Utf8Formatter.TryFormat(number, text.GetSpan(MaxDigits), out int length);
        text.Advance(length);
    }

    private readonly record struct Part(MessageSlices? Slices, Range Rewritten);
}
