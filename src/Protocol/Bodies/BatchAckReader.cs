using System.Buffers;
using System.Buffers.Text;
using System.Text.Json;

namespace GrayMQ.Protocol.Bodies;

/// <summary>
/// Walks a <see cref="BatchAckMessageRequestBody"/> without making objects of it: a broker reads many of them.
/// <see cref="Dispose"/> gives the buffers back, with which the entries end.
/// </summary>
public ref struct BatchAckReader : IDisposable
{
    private readonly byte[]? _rentedBody;
    private readonly ReadOnlySpan<byte> _body;
    private Utf8JsonReader _json;
    private byte[] _scratch;
    private bool _inAcks;

    public BatchAckReader(in ReadOnlySequence<byte> body)
    {
        if (body.IsSingleSegment)
        {
            _body = body.FirstSpan;
        }
        else
        {
            _rentedBody = ArrayPool<byte>.Shared.Rent((int)body.Length);
            body.CopyTo(_rentedBody);
            _body = _rentedBody.AsSpan(0, (int)body.Length);
        }

        _json = new Utf8JsonReader(_body, new JsonReaderOptions { MaxDepth = BodyCodec.MaxDepth });
        _scratch = [];
    }

    /// <summary>Reads the next entry; it is good until the one after it.</summary>
    /// <exception cref="BodyFormatException">The body is no JSON, or an entry is not as it has to be.</exception>
    public bool TryRead(out BatchAckEntry entry)
    {
        try
        {
            if (!_inAcks && !FindAcks())
            {
                entry = default;
                return false;
            }

            _json.Read();
            if (_json.TokenType == JsonTokenType.EndArray)
            {
                entry = default;
                _inAcks = false;
                return false;
            }

            entry = ReadEntry();
            return true;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException and not BodyFormatException)
        {
            throw new BodyFormatException($"the batch of acks cannot be read: {e.Message}", e);
        }
    }

    public void Dispose()
    {
        if (_rentedBody is not null)
        {
            ArrayPool<byte>.Shared.Return(_rentedBody);
        }

        if (_scratch.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_scratch);
            _scratch = [];
        }
    }

    private bool FindAcks()
    {
        while (_json.Read() && _json.TokenType is not JsonTokenType.EndObject)
        {
            if (_json.TokenType != JsonTokenType.PropertyName)
            {
                continue;
            }

            bool isAcks = _json.ValueTextEquals("acks"u8);
            _json.Read();
            if (isAcks && _json.TokenType == JsonTokenType.StartArray)
            {
                _inAcks = true;
                return true;
            }

            _json.Skip();
        }

        return false;
    }

    private BatchAckEntry ReadEntry()
    {
        if (_json.TokenType != JsonTokenType.StartObject)
        {
            throw new BodyFormatException($"an ack is a {_json.TokenType}: expected an object");
        }

        var entry = new BatchAckEntry();
        while (_json.Read() && _json.TokenType != JsonTokenType.EndObject)
        {
            ref Utf8JsonReader json = ref _json;
            Field field = FieldOf(in json);
            json.Read();
            switch (field)
            {
                case Field.Group:
                    entry.ConsumerGroup = Text();
                    break;
                case Field.Topic:
                    entry.Topic = Text();
                    break;
                case Field.Retry:
                    entry.Kind = Text() is [var kind] ? kind : (byte)0;
                    break;
                case Field.StartOffset:
                    entry.StartOffset = json.GetInt64();
                    break;
                case Field.QueueId:
                    entry.QueueId = json.GetInt32();
                    break;
                case Field.ReviveQueueId:
                    entry.ReviveQueueId = json.GetInt32();
                    break;
                case Field.PopTime:
                    entry.PopTimeMs = json.GetInt64();
                    break;
                case Field.Bits:
                    entry.Bits = Bits();
                    break;
                default:
                    json.Skip();
                    break;
            }
        }

        return entry;
    }

    private static Field FieldOf(in Utf8JsonReader json) =>
        json.ValueTextEquals("b"u8) || json.ValueTextEquals("bitSet"u8) ? Field.Bits
        : json.ValueTextEquals("c"u8) || json.ValueTextEquals("consumerGroup"u8) ? Field.Group
        : json.ValueTextEquals("t"u8) || json.ValueTextEquals("topic"u8) ? Field.Topic
        : json.ValueTextEquals("r"u8) || json.ValueTextEquals("retry"u8) ? Field.Retry
        : json.ValueTextEquals("so"u8) || json.ValueTextEquals("startOffset"u8) ? Field.StartOffset
        : json.ValueTextEquals("q"u8) || json.ValueTextEquals("queueId"u8) ? Field.QueueId
        : json.ValueTextEquals("rq"u8) || json.ValueTextEquals("reviveQueueId"u8) ? Field.ReviveQueueId
        : json.ValueTextEquals("pt"u8) || json.ValueTextEquals("popTime"u8) ? Field.PopTime
        : Field.Other;

    private readonly ReadOnlySpan<byte> Text()
    {
        if (_json.TokenType is not JsonTokenType.String)
        {
            throw new BodyFormatException($"a name is a {_json.TokenType}: expected a string");
        }

        // No name that topics or groups may have is escaped.
        return _json.ValueIsEscaped ? System.Text.Encoding.UTF8.GetBytes(_json.GetString()!) : _json.ValueSpan;
    }

    private ReadOnlySpan<byte> Bits()
    {
        ReadOnlySpan<byte> base64 = Text();
        int most = Base64.GetMaxDecodedFromUtf8Length(base64.Length);
        if (_scratch.Length < most)
        {
            if (_scratch.Length > 0)
            {
                ArrayPool<byte>.Shared.Return(_scratch);
            }

            _scratch = ArrayPool<byte>.Shared.Rent(most);
        }

        return Base64.DecodeFromUtf8(base64, _scratch, out _, out int length) == OperationStatus.Done
            ? _scratch.AsSpan(0, length)
            : throw new BodyFormatException("the bits of an ack are not base64");
    }

    private enum Field
    {
        Other,
        Group,
        Topic,
        Retry,
        StartOffset,
        QueueId,
        ReviveQueueId,
        PopTime,
        Bits,
    }
}

/// <summary>One <see cref="BatchAck"/>, as slices of the body.</summary>
public ref struct BatchAckEntry
{
    public ReadOnlySpan<byte> ConsumerGroup { get; set; }

    public ReadOnlySpan<byte> Topic { get; set; }

    /// <summary>The handles' kind (<see cref="Messages.PopHandle"/>); 0 when it is none.</summary>
    public byte Kind { get; set; }

    public long StartOffset { get; set; }

    public int QueueId { get; set; }

    public int ReviveQueueId { get; set; }

    public long PopTimeMs { get; set; }

    /// <inheritdoc cref="BatchAck.Bits"/>
    public ReadOnlySpan<byte> Bits { get; set; }
}
