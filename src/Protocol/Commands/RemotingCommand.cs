using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace GrayMQ.Protocol.Commands;

/// <summary>
/// A decoded request or response (RocketMQ: RemotingCommand). One instance can be decoded into again and again; its
/// <see cref="Body"/> points into the buffer that the frame was cut from.
/// </summary>
public sealed class RemotingCommand
{
    /// <summary>The protocol version that this side declares: RocketMQ 5.3.3 (RocketMQ: MQVersion.V5_3_3).</summary>
    public const short CurrentVersion = 479;

    internal const int ResponseFlag = 1;
    internal const int OneWayFlag = 2;

    // code 2, language 1, version 2, opaque 4, flag 4, remark length 4, field map length 4
    private const int BinaryFixedBytes = 21;
    private const int MaxJsonDepth = 8;

    private readonly RepeatedHeader _repeated = new();
    private int _lastJsonBytes;
    private Range _opaqueDigits;

    /// <summary>What is asked for, or how it ended.</summary>
    public int Code { get; private set; }

    public LanguageCode Language { get; private set; }

    /// <summary>The protocol version of the peer (RocketMQ: MQVersion's ordinal).</summary>
    public short Version { get; private set; }

    /// <summary>Ties a response to its request; chosen by who asks.</summary>
    public int Opaque { get; private set; }

    /// <summary>Bit 0: this is a response; bit 1: no response is wanted.</summary>
    public int Flag { get; private set; }

    public string? Remark { get; private set; }

    public SerializeType SerializeType { get; private set; }

    public HeaderFields Fields { get; } = new();

    public ReadOnlySequence<byte> Body { get; private set; }

    public RequestCode RequestCode => (RequestCode)Code;

    public ResponseCode ResponseCode => (ResponseCode)Code;

    public bool IsResponse => (Flag & ResponseFlag) != 0;

    public bool IsOneWay => (Flag & OneWayFlag) != 0;

    /// <summary>Reads the frame's header; the body is taken as it is.</summary>
    /// <exception cref="ProtocolException">The header is none.</exception>
    public void Decode(in Frame frame, CommandLimits limits)
    {
        SerializeType = frame.SerializeType;
        Body = frame.Body;

        if (frame.Header.IsSingleSegment)
        {
            Decode(frame.Header.FirstSpan, limits);
            return;
        }

        int length = checked((int)frame.Header.Length);
        byte[] rented = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            frame.Header.CopyTo(rented);
            Decode(rented.AsSpan(0, length), limits);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <summary>Makes the body the command's own, so that it outlives the buffer of the frame.</summary>
    public void OwnBody() => Body = Body.IsEmpty ? default : new ReadOnlySequence<byte>(Body.ToArray());

    private void Decode(ReadOnlySpan<byte> header, CommandLimits limits)
    {
        if (SerializeType == SerializeType.Json)
        {
            if (!TryRepeat(header))
            {
                Clear();
                DecodeJson(header, limits);
            }
        }
        else
        {
            Clear();
            DecodeBinary(header, limits);
        }
    }

    private void DecodeBinary(ReadOnlySpan<byte> header, CommandLimits limits)
    {
        if (header.Length < BinaryFixedBytes)
        {
            throw new ProtocolException($"binary header of {header.Length} bytes: expected at least {BinaryFixedBytes}");
        }

        Code = BinaryPrimitives.ReadInt16BigEndian(header);
        Language = ToLanguage(header[2]);
        Version = BinaryPrimitives.ReadInt16BigEndian(header[3..]);
        Opaque = BinaryPrimitives.ReadInt32BigEndian(header[5..]);
        Flag = BinaryPrimitives.ReadInt32BigEndian(header[9..]);

        int remarkLength = BinaryPrimitives.ReadInt32BigEndian(header[13..]);
        if (remarkLength < 0 || remarkLength > header.Length - BinaryFixedBytes)
        {
            throw new ProtocolException($"remark length {remarkLength} goes beyond the header of {header.Length} bytes");
        }

        if (remarkLength > 0)
        {
            Remark = Encoding.UTF8.GetString(header.Slice(17, remarkLength));
        }

        int mapLength = BinaryPrimitives.ReadInt32BigEndian(header[(17 + remarkLength)..]);
        ReadOnlySpan<byte> map = header[(BinaryFixedBytes + remarkLength)..];
        if (mapLength < 0 || mapLength > map.Length)
        {
            throw new ProtocolException($"field map length {mapLength} goes beyond the header: {map.Length} bytes are left");
        }

        Fields.ReadBinary(map[..mapLength], limits);
    }

    // Everything is as in the header before, but for what differs of the fields' values and the number of the request.
    private bool TryRepeat(ReadOnlySpan<byte> header)
    {
        int opaque = Opaque;
        bool taken = _repeated.TryTake(header, Fields.Text, ref opaque, out ulong changes);
        Opaque = opaque;
        Fields.Changes |= changes;
        return taken;
    }

    private void Clear()
    {
        _repeated.Forget();
        Fields.Clear();
        Remark = null;
        Code = 0;
        Opaque = 0;
        _opaqueDigits = default;
        Flag = 0;
        Version = 0;
        Language = LanguageCode.Other;
    }

    private void DecodeJson(ReadOnlySpan<byte> header, CommandLimits limits)
    {
        if (!Utf8.IsValid(header))
        {
            header = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(header));
        }

        if (!TryDecodeCompactJson(header, limits))
        {
            Clear();
            DecodeAnyJson(header, limits);
        }
        else if (header.Length == _lastJsonBytes)
        {
            _repeated.Learn(header, Fields, _opaqueDigits);
        }

        _lastJsonBytes = header.Length;
    }

    private bool TryDecodeCompactJson(ReadOnlySpan<byte> header, CommandLimits limits)
    {
        CompactJson json = Fields.ReadCompactly(header);
        bool hasCode = false;
        if (!json.TryTake('{'))
        {
            return false;
        }

        do
        {
            if (!json.TryTakeString(out int nameStart, out int nameLength) || !json.TryTake(':'))
            {
                return false;
            }

            ReadOnlySpan<byte> name = json.Slice(nameStart, nameLength);
            bool isCode = name.SequenceEqual("code"u8);
            hasCode |= isCode;
            if (!(isCode ? TryReadCode(ref json) : TryReadProperty(name, ref json, limits)))
            {
                return false;
            }
        }
        while (json.TryTake(','));
        return hasCode && json.TryTake('}') && json.IsAtEnd;
    }

    private bool TryReadCode(ref CompactJson json)
    {
        bool taken = json.TryTakeInt32(out int code);
        Code = code;
        return taken;
    }

    private bool TryReadOpaque(ref CompactJson json)
    {
        int start = json.Position;
        bool taken = json.TryTakeInt32(out int number);
        Opaque = number;
        _opaqueDigits = start..json.Position;
        return taken;
    }

    private bool TryReadProperty(scoped ReadOnlySpan<byte> name, ref CompactJson json, CommandLimits limits)
    {
        int number;
        int start;
        int length;
        switch (name.Length)
        {
            case 9 when name.SequenceEqual("extFields"u8):
                return Fields.Count == 0 && Fields.TryReadJson(ref json, limits);
            case 4 when name.SequenceEqual("flag"u8) && json.TryTakeInt32(out number):
                Flag = number;
                return true;
            case 8 when name.SequenceEqual("language"u8) && json.TryTakeString(out start, out length):
                Language = ToLanguage(json.Slice(start, length));
                return true;
            case 6 when name.SequenceEqual("opaque"u8):
                return TryReadOpaque(ref json);
            case 7 when name.SequenceEqual("version"u8) && json.TryTakeInt32(out number):
                Version = (short)Math.Clamp(number, 0, short.MaxValue);
                return true;
            case 6 when name.SequenceEqual("remark"u8) && json.TryTakeString(out start, out length):
                Remark = Encoding.UTF8.GetString(json.Slice(start, length));
                return true;
            case 23 when name.SequenceEqual("serializeTypeCurrentRPC"u8):
                return json.TryTakeString(out _, out _);
            default:
                return false;
        }
    }

    private static LanguageCode ToLanguage(ReadOnlySpan<byte> name)
    {
        for (int i = 0; i < CommandWriter.LanguageNames.Length; i++)
        {
            if (System.Text.Ascii.Equals(name, CommandWriter.LanguageNames[i]))
            {
                return (LanguageCode)i;
            }
        }

        return LanguageCode.Other;
    }

    private void DecodeAnyJson(ReadOnlySpan<byte> header, CommandLimits limits)
    {
        try
        {
            var reader = new Utf8JsonReader(header, new JsonReaderOptions { MaxDepth = MaxJsonDepth });
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                throw new ProtocolException("the JSON header is no object");
            }

            bool hasCode = false;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                hasCode |= ReadProperty(ref reader, limits);
            }

            // Fails when anything but blanks is left behind the object.
            reader.Read();
            if (!hasCode)
            {
                throw new ProtocolException("the JSON header has no code");
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new ProtocolException($"the JSON header is malformed: {e.Message}", e);
        }
    }

    // Reads one property of the header; true when it was the code.
    private bool ReadProperty(ref Utf8JsonReader reader, CommandLimits limits)
    {
        if (reader.ValueTextEquals("code"u8))
        {
            Code = ReadInt32(ref reader, "code");
            return true;
        }

        if (reader.ValueTextEquals("extFields"u8))
        {
            ReadFields(ref reader, limits);
        }
        else if (reader.ValueTextEquals("flag"u8))
        {
            Flag = ReadInt32(ref reader, "flag");
        }
        else if (reader.ValueTextEquals("language"u8))
        {
            reader.Read();
            Language = ReadLanguage(ref reader);
        }
        else if (reader.ValueTextEquals("opaque"u8))
        {
            Opaque = ReadInt32(ref reader, "opaque");
        }
        else if (reader.ValueTextEquals("version"u8))
        {
            Version = (short)Math.Clamp(ReadInt32(ref reader, "version"), 0, short.MaxValue);
        }
        else if (reader.ValueTextEquals("remark"u8))
        {
            reader.Read();
            Remark = reader.TokenType == JsonTokenType.String ? JsonText.ToString(in reader) : null;
            SkipValue(ref reader);
        }
        else
        {
            reader.Read();
            SkipValue(ref reader);
        }

        return false;
    }

    private void ReadFields(ref Utf8JsonReader reader, CommandLimits limits)
    {
        Fields.Clear();
        reader.Read();
        switch (reader.TokenType)
        {
            case JsonTokenType.Null:
                break;
            case JsonTokenType.StartObject:
                Fields.ReadJson(ref reader, limits);
                break;
            default:
                throw new ProtocolException($"extFields holds a JSON {reader.TokenType}: expected an object");
        }
    }

    // As lenient as RocketMQ's parser: a number may stand in quotes.
    private static int ReadInt32(ref Utf8JsonReader reader, string name)
    {
        reader.Read();
        return reader.TokenType is JsonTokenType.Number or JsonTokenType.String
            && Utf8Parser.TryParse(reader.ValueSpan, out int number, out int read)
            && read == reader.ValueSpan.Length
                ? number
                : throw new ProtocolException($"{name} of the JSON header is no 32-bit number");
    }

    private static LanguageCode ReadLanguage(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.String)
        {
            SkipValue(ref reader);
            return LanguageCode.Other;
        }

        for (int i = 0; i < CommandWriter.LanguageNames.Length; i++)
        {
            if (reader.ValueTextEquals(CommandWriter.LanguageNames[i]))
            {
                return (LanguageCode)i;
            }
        }

        return LanguageCode.Other;
    }

    private static void SkipValue(ref Utf8JsonReader reader)
    {
        if (reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray)
        {
            reader.Skip();
        }
    }

    private static LanguageCode ToLanguage(byte number) =>
        number <= (byte)LanguageCode.NodeJs ? (LanguageCode)number : LanguageCode.Other;
}
