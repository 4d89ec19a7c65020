using System.Numerics;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.Protocol.Headers.Broker;

/// <summary>
/// Reads the single-letter form of <see cref="SendMessageHeader"/>: every message's way. A producer's headers mostly differ from the one
/// before in a few values, so what was read is kept with the fields, and only what has changed is read again.
/// </summary>
internal sealed class SendHeaderReader
{
    // a to h
    private const int Required = 0b1111_1111;

    private ReadOnlyMemory<byte> _producerGroup;
    private ReadOnlyMemory<byte> _topic;
    private ReadOnlyMemory<byte> _defaultTopic;
    private ReadOnlyMemory<byte> _properties;
    private ReadOnlyMemory<byte> _brokerName;
    private int _defaultTopicQueueNums;
    private int _queueId;
    private int _sysFlag;
    private long _bornTimestampMs;
    private int _flag;
    private int _reconsumeTimes;
    private bool _unitMode;
    private int? _maxReconsumeTimes;
    private bool _batch;

    // A bit for each letter, and whether one came twice: then the last counts, whichever of them has changed.
    private int _seen;
    private bool _isAnyTwice;

    /// <exception cref="HeaderFieldException">A field is missing, or is not the number that it has to be.</exception>
    public static SendMessageHeader Read(HeaderFields fields)
    {
        if (fields.Reader is not SendHeaderReader reader)
        {
            fields.Reader = reader = new SendHeaderReader();
            fields.Changes = HeaderFields.AllChanged;
        }

        reader.Follow(fields);
        return reader.ToHeader();
    }

    // What fails is read again the next time.
    private void Follow(HeaderFields fields)
    {
        if (fields.Changes == HeaderFields.AllChanged || (_isAnyTwice && fields.Changes != 0))
        {
            fields.Changes = HeaderFields.AllChanged;
            ReadAll(fields);
        }
        else
        {
            for (ulong changes = fields.Changes; changes != 0; changes &= changes - 1)
            {
                TryRead(fields, BitOperations.TrailingZeroCount(changes), out _);
            }
        }

        fields.Changes = 0;
    }

    private void ReadAll(HeaderFields fields)
    {
        _properties = default;
        _brokerName = default;
        _reconsumeTimes = 0;
        _unitMode = false;
        _maxReconsumeTimes = null;
        _batch = false;
        _seen = 0;
        _isAnyTwice = false;
        for (int i = 0; i < fields.Count; i++)
        {
            if (TryRead(fields, i, out byte letter))
            {
                int bit = 1 << (letter - 'a');
                _isAnyTwice |= (_seen & bit) != 0;
                _seen |= bit;
            }
        }

        if ((_seen & Required) != Required)
        {
            byte missing = (byte)('a' + BitOperations.TrailingZeroCount(~_seen));
            throw HeaderFields.Missing([missing]);
        }
    }

    // False for a field that no send has.
    private bool TryRead(HeaderFields fields, int index, out byte letter)
    {
        letter = 0;
        ReadOnlySpan<byte> name = fields.NameAt(index);
        if (name.Length != 1)
        {
            return false;
        }

        letter = name[0];
        ReadOnlyMemory<byte> text = fields.ValueAt(index);
        ReadOnlySpan<byte> value = text.Span;
        switch (letter)
        {
            case (byte)'a':
                _producerGroup = text;
                return true;
            case (byte)'b':
                _topic = text;
                return true;
            case (byte)'c':
                _defaultTopic = text;
                return true;
            case (byte)'d':
                _defaultTopicQueueNums = HeaderFields.ParseInt32(name, value);
                return true;
            case (byte)'e':
                _queueId = HeaderFields.ParseInt32(name, value);
                return true;
            case (byte)'f':
                _sysFlag = HeaderFields.ParseInt32(name, value);
                return true;
            case (byte)'g':
                _bornTimestampMs = HeaderFields.ParseInt64(name, value);
                return true;
            case (byte)'h':
                _flag = HeaderFields.ParseInt32(name, value);
                return true;
            case (byte)'i':
                _properties = text;
                return true;
            case (byte)'j':
                _reconsumeTimes = HeaderFields.ParseInt32(name, value);
                return true;
            case (byte)'k':
                _unitMode = HeaderFields.ParseBoolean(value);
                return true;
            case (byte)'l':
                _maxReconsumeTimes = HeaderFields.ParseInt32(name, value);
                return true;
            case (byte)'m':
                _batch = HeaderFields.ParseBoolean(value);
                return true;
            case (byte)'n':
                _brokerName = text;
                return true;
            default:
                return false;
        }
    }

    private SendMessageHeader ToHeader() => new()
    {
        ProducerGroup = _producerGroup,
        Topic = _topic,
        DefaultTopic = _defaultTopic,
        DefaultTopicQueueNums = _defaultTopicQueueNums,
        QueueId = _queueId,
        SysFlag = _sysFlag,
        BornTimestampMs = _bornTimestampMs,
        Flag = _flag,
        Properties = _properties,
        ReconsumeTimes = _reconsumeTimes,
        UnitMode = _unitMode,
        MaxReconsumeTimes = _maxReconsumeTimes,
        Batch = _batch,
        BrokerName = _brokerName,
    };
}
