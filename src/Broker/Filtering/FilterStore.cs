using System.Buffers.Binary;
using System.Text;
using GrayMQ.Filtering;
using GrayMQ.Store.KeyValue;

namespace GrayMQ.Broker.Filtering;

/// <summary>
/// Which expression has which number in a topic's index, and since when, on disk: answers that are kept beside queue entries mean nothing
/// without. Numbers are big-endian, with the sign bit turned in keys.
/// <code>
/// key                value
/// topic, number 4    since generation 8 | language 1 (0 SQL92, 1 HEADER) | the expression, UTF-8
/// 0 (one byte)       generation 8: the greatest that there was
/// </code>
/// </summary>
internal sealed class FilterStore(KeyValueStore values, KeyFamily family)
{
    private const int SinceBytes = sizeof(long);
    private const int HeaderBytes = SinceBytes + 1;

    private static ReadOnlySpan<byte> GenerationKey => [0];

    /// <summary>The greatest generation that there was; null when there never was one.</summary>
    public long? ReadGeneration() =>
        values.Get(family, GenerationKey) is { Length: sizeof(long) } bytes ? BinaryPrimitives.ReadInt64BigEndian(bytes) : null;

    /// <summary>All that was written and can be read; the rest is handed to <paramref name="onBroken"/>, as a key in hexadecimal digits.</summary>
    public List<StoredExpression> ReadAll(Action<string> onBroken)
    {
        var all = new List<StoredExpression>();
        foreach (KeyValueEntry entry in values.Scan(family))
        {
            if (entry.Key.SequenceEqual(GenerationKey))
            {
                continue;
            }

            try
            {
                all.Add(Decode(entry.Key, entry.Value));
            }
            catch (Exception e) when (e is InvalidDataException or ExpressionSyntaxException)
            {
                onBroken(Convert.ToHexString(entry.Key));
            }
        }

        return all;
    }

    /// <summary>Writes a change: on the disk when it returns, because answers refer to it.</summary>
    /// <exception cref="KeyValueStoreException">It could not be written.</exception>
    public void Write(long generation, IReadOnlyList<StoredExpression> added, IReadOnlyList<StoredExpression> removed)
    {
        using KeyValueBatch batch = values.NewBatch();
        foreach (StoredExpression expression in removed)
        {
            batch.Delete(family, Key(expression));
        }

        foreach (StoredExpression expression in added)
        {
            batch.Put(family, Key(expression), Encode(expression));
        }

        byte[] bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, generation);
        batch.Put(family, GenerationKey, bytes);
        values.Write(batch, sync: true);
    }

    private static byte[] Key(StoredExpression expression)
    {
        byte[] buffer = new byte[Encoding.UTF8.GetByteCount(expression.Topic) + 1 + sizeof(int)];
        return new KeyWriter(buffer).Text(expression.Topic).Int32(expression.Id).Key.ToArray();
    }

    private static byte[] Encode(StoredExpression expression)
    {
        byte[] value = new byte[HeaderBytes + Encoding.UTF8.GetByteCount(expression.Expression.Text)];
        BinaryPrimitives.WriteInt64BigEndian(value, expression.Since);
        value[SinceBytes] = (byte)(expression.Expression.Language == FilterLanguage.Sql92 ? 0 : 1);
        Encoding.UTF8.GetBytes(expression.Expression.Text, value.AsSpan(HeaderBytes));
        return value;
    }

    private static StoredExpression Decode(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        var reader = new KeyReader(key);
        string topic = reader.Text();
        int id = reader.Int32();
        if (id < 0 || value.Length < HeaderBytes || value[SinceBytes] > 1)
        {
            throw new InvalidDataException("not an expression");
        }

        FilterLanguage language = value[SinceBytes] == 0 ? FilterLanguage.Sql92 : FilterLanguage.Header;
        var expression = FilterExpression.Parse(language, Encoding.UTF8.GetString(value[HeaderBytes..]));
        return new StoredExpression(topic, id, BinaryPrimitives.ReadInt64BigEndian(value), expression);
    }
}

/// <summary>An expression in a topic's index; see <see cref="IndexedExpression"/>.</summary>
internal sealed record StoredExpression(string Topic, int Id, long Since, FilterExpression Expression);
