using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace GrayMQ.Protocol.Commands;

/// <summary>
/// The named fields (<c>extFields</c>) of a decoded command, as valid UTF-8: bytes that are none read as U+FFFD, as in Java. Of
/// fields of the same name the last counts. One instance serves one command after the other and keeps its buffers, so that
/// reading a command allocates nothing; what it hands out as memory is valid until it is used for the next command.
/// </summary>
public sealed class HeaderFields
{
    /// <summary>As <see cref="Changes"/>: other fields have come, or stand elsewhere.</summary>
    internal const ulong AllChanged = ulong.MaxValue;

    private const int InitialBytes = 512;
    private const int InitialFields = 24;

    // A buffer that one huge header made grow is not kept for the life of a connection, of which there may be 100,000.
    private const int MaxKeptBytes = 16 * 1024;

    private byte[] _bytes = new byte[InitialBytes];
    private Slot[] _slots = new Slot[InitialFields];
    private int _used;

    /// <summary>How many fields there are.</summary>
    public int Count { get; private set; }

    /// <summary>The memory that the fields take, in bytes.</summary>
    public int Bytes => _bytes.Length;

    /// <summary>What the last reader of these fields keeps with them, from one command to the next.</summary>
    internal object? Reader { get; set; }

    /// <summary>
    /// The fields that have another value, of the same length and in the same place, since <see cref="Reader"/> has read them and set this to 0:
    /// bit n for field n, or <see cref="AllChanged"/>.
    /// </summary>
    internal ulong Changes { get; set; } = AllChanged;

    /// <summary>Name of field <paramref name="index"/>, UTF-8.</summary>
    public ReadOnlySpan<byte> NameAt(int index) => _bytes.AsSpan(Checked(index).NameStart, _slots[index].NameLength);

    /// <summary>Value of field <paramref name="index"/>, UTF-8 without escapes.</summary>
    public ReadOnlyMemory<byte> ValueAt(int index) =>
        _bytes.AsMemory(Checked(index).ValueStart, _slots[index].ValueLength);

    /// <summary>Finds a field by its exact name.</summary>
    public bool TryFind(ReadOnlySpan<byte> name, out ReadOnlyMemory<byte> value)
    {
        ReadOnlySpan<byte> bytes = _bytes;
        ReadOnlySpan<Slot> slots = _slots.AsSpan(0, Count);
        for (int i = slots.Length - 1; i >= 0; i--)
        {
            ref readonly Slot slot = ref slots[i];
            if (slot.NameLength == name.Length && bytes.Slice(slot.NameStart, slot.NameLength).SequenceEqual(name))
            {
                value = _bytes.AsMemory(slot.ValueStart, slot.ValueLength);
                return true;
            }
        }

        value = default;
        return false;
    }

    /// <summary>The field's bytes.</summary>
    /// <exception cref="HeaderFieldException">There is no such field.</exception>
    public ReadOnlyMemory<byte> GetUtf8(ReadOnlySpan<byte> name) =>
        TryFind(name, out ReadOnlyMemory<byte> value) ? value : throw Missing(name);

    /// <summary>The field's bytes, empty when there is no such field.</summary>
    public ReadOnlyMemory<byte> FindUtf8(ReadOnlySpan<byte> name) => TryFind(name, out ReadOnlyMemory<byte> value) ? value : default;

    /// <inheritdoc cref="GetUtf8"/>
    public string GetString(ReadOnlySpan<byte> name) => Encoding.UTF8.GetString(GetUtf8(name).Span);

    /// <summary>The field, or null when there is no such field.</summary>
    public string? FindString(ReadOnlySpan<byte> name) =>
        TryFind(name, out ReadOnlyMemory<byte> value) ? Encoding.UTF8.GetString(value.Span) : null;

    /// <summary>The field as a 32-bit number.</summary>
    /// <exception cref="HeaderFieldException">There is no such field, or it is no such number.</exception>
    public int GetInt32(ReadOnlySpan<byte> name) => ParseInt32(name, GetUtf8(name).Span);

    /// <summary>The field as a 32-bit number, or <paramref name="missing"/> when there is no such field.</summary>
    /// <exception cref="HeaderFieldException">It is no such number.</exception>
    public int FindInt32(ReadOnlySpan<byte> name, int missing = 0) =>
        TryFind(name, out ReadOnlyMemory<byte> value) ? ParseInt32(name, value.Span) : missing;

    /// <inheritdoc cref="GetInt32"/>
    public long GetInt64(ReadOnlySpan<byte> name) => ParseInt64(name, GetUtf8(name).Span);

    /// <inheritdoc cref="FindInt32"/>
    public long FindInt64(ReadOnlySpan<byte> name, long missing = 0) =>
        TryFind(name, out ReadOnlyMemory<byte> value) ? ParseInt64(name, value.Span) : missing;

    /// <summary>The field as a truth value: <c>true</c> in any case is true, all else is false (Java: Boolean.parseBoolean).</summary>
    /// <exception cref="HeaderFieldException">There is no such field.</exception>
    public bool GetBoolean(ReadOnlySpan<byte> name) => ParseBoolean(GetUtf8(name).Span);

    /// <inheritdoc cref="GetBoolean"/>
    public bool FindBoolean(ReadOnlySpan<byte> name, bool missing = false) =>
        TryFind(name, out ReadOnlyMemory<byte> value) ? ParseBoolean(value.Span) : missing;

    /// <summary>All fields as text, for logs, tests and tools.</summary>
    public Dictionary<string, string> ToDictionary()
    {
        var all = new Dictionary<string, string>(Count, StringComparer.Ordinal);
        for (int i = 0; i < Count; i++)
        {
            all[Encoding.UTF8.GetString(NameAt(i))] = Encoding.UTF8.GetString(ValueAt(i).Span);
        }

        return all;
    }

    internal static int ParseInt32(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (value.Length == 1 && char.IsAsciiDigit((char)value[0]))
        {
            // As most are: queues, flags.
            return value[0] - '0';
        }

        return Utf8Parser.TryParse(value, out int number, out int read) && read == value.Length
            ? number
            : throw Malformed(name, value, "a 32-bit number");
    }

    internal static long ParseInt64(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) =>
        Utf8Parser.TryParse(value, out long number, out int read) && read == value.Length
            ? number
            : throw Malformed(name, value, "a 64-bit number");

    internal static bool ParseBoolean(ReadOnlySpan<byte> value) =>
        value.Length == 4 && Ascii.EqualsIgnoreCase(value, "true"u8);

    internal static HeaderFieldException Missing(ReadOnlySpan<byte> name) =>
        new($"the custom field <{Encoding.UTF8.GetString(name)}> is null");

    internal void Clear()
    {
        Changes = AllChanged;
        Count = 0;
        _used = 0;
        if (_bytes.Length > MaxKeptBytes)
        {
            _bytes = new byte[InitialBytes];
            Reader = null;
        }
    }

    /// <summary>
    /// Reads the field map of a binary header: 2-byte name length, name, 4-byte value length, value, and so on. A name or value
    /// without bytes is null (RocketMQ: RocketMQSerializable.readStr), so such a field is left out.
    /// </summary>
    internal void ReadBinary(ReadOnlySpan<byte> map, CommandLimits limits)
    {
        // Names and values are kept where they stand in one copy of the map.
        int start = Reserve(map.Length);
        map.CopyTo(_bytes.AsSpan(start));
        _used = start + map.Length;

        int at = 0;
        while (at < map.Length)
        {
            if (map.Length - at < sizeof(short))
            {
                throw new ProtocolException($"header field {Count}: {map.Length - at} bytes are left, expected a name length");
            }

            int nameLength = BinaryPrimitives.ReadInt16BigEndian(map[at..]);
            at += sizeof(short);
            if (nameLength < 0 || map.Length - at - nameLength < sizeof(int))
            {
                throw new ProtocolException($"header field {Count}: name length {nameLength} goes beyond the header");
            }

            int nameAt = at;
            at += nameLength;
            int valueLength = BinaryPrimitives.ReadInt32BigEndian(map[at..]);
            at += sizeof(int);
            if (valueLength < 0 || valueLength > map.Length - at)
            {
                throw new ProtocolException($"header field {Count}: value length {valueLength} goes beyond the header");
            }

            if (nameLength > 0 && valueLength > 0)
            {
                (int nameStart, int nameBytes) = Valid(start + nameAt, nameLength);
                (int valueStart, int valueBytes) = Valid(start + at, valueLength);
                AddSlot(new Slot(nameStart, nameBytes, valueStart, valueBytes), limits);
            }

            at += valueLength;
        }
    }

    /// <summary>Takes in a whole header that is valid UTF-8, to be read where it stands now.</summary>
    internal CompactJson ReadCompactly(ReadOnlySpan<byte> header)
    {
        int start = Reserve(header.Length);
        header.CopyTo(_bytes.AsSpan(start));
        _used = start + header.Length;
        return new CompactJson(_bytes.AsSpan(start, header.Length));
    }

    /// <summary>What <see cref="ReadCompactly"/> took in, with its escapes undone.</summary>
    internal Span<byte> Text => _bytes;

    /// <summary>Where the value of a field stands in <see cref="Text"/>.</summary>
    internal (int Start, int Length) PlaceOfValue(int index) => (Checked(index).ValueStart, _slots[index].ValueLength);

    /// <summary>Reads an object of scalars from what <see cref="ReadCompactly"/> took in first; false when it is written otherwise.</summary>
    internal bool TryReadJson(ref CompactJson json, CommandLimits limits)
    {
        if (!json.TryTake('{'))
        {
            return false;
        }

        if (json.TryTake('}'))
        {
            return true;
        }

        do
        {
            if (!json.TryTakeString(out int nameStart, out int nameLength)
                || !json.TryTake(':')
                || !json.TryTakeScalar(out int valueStart, out int valueLength))
            {
                return false;
            }

            AddSlot(new Slot(nameStart, nameLength, valueStart, valueLength), limits);
        }
        while (json.TryTake(','));
        return json.TryTake('}');
    }

    /// <summary>Reads a JSON object of scalars; the reader stands on its opening brace.</summary>
    internal void ReadJson(ref Utf8JsonReader reader, CommandLimits limits)
    {
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            (int nameStart, int nameLength) = CopyText(in reader);
            reader.Read();
            switch (reader.TokenType)
            {
                case JsonTokenType.Null:
                    break;
                case JsonTokenType.String:
                case JsonTokenType.Number:
                case JsonTokenType.True:
                case JsonTokenType.False:
                    (int valueStart, int valueLength) = CopyText(in reader);
                    AddSlot(new Slot(nameStart, nameLength, valueStart, valueLength), limits);
                    break;
                default:
                    throw new ProtocolException(
                        $"header field {Count} holds a JSON {reader.TokenType}: expected a string, number or boolean");
            }
        }
    }

    private static HeaderFieldException Malformed(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value, string expected)
    {
        const int MaxShownBytes = 64;
        string shown = Shown(value.Length > MaxShownBytes ? value[..MaxShownBytes] : value);
        return new HeaderFieldException($"the custom field <{Encoding.UTF8.GetString(name)}> is '{shown}': expected {expected}");
    }

    // The message goes into logs, where a line break of a peer's would start a line of its own.
    private static string Shown(ReadOnlySpan<byte> value) => string.Create(
        Encoding.UTF8.GetCharCount(value),
        value,
        static (chars, value) =>
        {
            Encoding.UTF8.GetChars(value, chars);
            foreach (ref char c in chars)
            {
                c = char.IsControl(c) ? '.' : c;
            }
        });

    private ref readonly Slot Checked(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
        return ref _slots[index];
    }

    private (int Start, int Length) CopyText(in Utf8JsonReader reader)
    {
        int start = Reserve(JsonText.MaxBytes(in reader));
        int length = JsonText.Copy(in reader, _bytes.AsSpan(start));
        _used = start + length;
        return (start, length);
    }

    // The same bytes when they are UTF-8, else a copy of them that is.
    private (int Start, int Length) Valid(int start, int length)
    {
        ReadOnlySpan<byte> text = _bytes.AsSpan(start, length);
        if (Utf8.IsValid(text))
        {
            return (start, length);
        }

        byte[] valid = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(text));
        int at = Reserve(valid.Length);
        valid.CopyTo(_bytes, at);
        _used = at + valid.Length;
        return (at, valid.Length);
    }

    private int Reserve(int more)
    {
        if (_bytes.Length - _used < more)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _used + more));
        }

        return _used;
    }

    private void AddSlot(Slot slot, CommandLimits limits)
    {
        if (Count == limits.MaxHeaderFields)
        {
            throw new ProtocolException($"the header has more than {limits.MaxHeaderFields} fields");
        }

        if (Count == _slots.Length)
        {
            Array.Resize(ref _slots, _slots.Length * 2);
        }

        _slots[Count++] = slot;
    }

    private readonly record struct Slot(int NameStart, int NameLength, int ValueStart, int ValueLength);
}
