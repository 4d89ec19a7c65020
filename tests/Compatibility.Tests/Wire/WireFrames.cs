using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace GrayMQ.Compatibility.Tests.Wire;

/// <summary>Frames with JSON headers, written by the book and not by the product's own codec.</summary>
internal static class WireFrames
{
    /// <summary>A frame with a JSON header, under another opaque.</summary>
    public static byte[] WithOpaque(byte[] frame, int opaque) =>
        Alter(frame, @"""opaque"":\d+", string.Create(CultureInfo.InvariantCulture, $"\"opaque\":{opaque}"));

    /// <summary>A frame with a JSON header, one of whose fields has another value.</summary>
    public static byte[] WithField(byte[] frame, string name, string value) =>
        Alter(frame, $"\"{name}\":\"[^\"]*\"", $"\"{name}\":\"{JsonEncodedText.Encode(value)}\"");

    private static byte[] Alter(byte[] frame, string pattern, string replacement)
    {
        int length = BinaryPrimitives.ReadInt32BigEndian(frame.AsSpan(4));
        string header = Encoding.UTF8.GetString(frame, 8, length);
        Assert.Matches(pattern, header);
        string altered = Regex.Replace(header, pattern, replacement.Replace("$", "$$", StringComparison.Ordinal));
        byte[] bytes = Encoding.UTF8.GetBytes(altered);
        byte[] result = [.. new byte[8], .. bytes, .. frame[(8 + length)..]];
        BinaryPrimitives.WriteInt32BigEndian(result, result.Length - sizeof(int));
        BinaryPrimitives.WriteInt32BigEndian(result.AsSpan(4), bytes.Length);
        return result;
    }

    public static byte[] GetRoute(string topic) => Write(105, 0, 1, ("topic", topic));

    public static byte[] GetMaxOffset(string topic, string queueId) => Write(30, 0, 1, ("topic", topic), ("queueId", queueId));

    /// <summary>What mqadmin updateTopic asks of a broker.</summary>
    public static byte[] CreateTopic(string topic, string queues) => Write(
        17,
        0,
        1,
        ("topic", topic),
        ("defaultTopic", "TBW102"),
        ("readQueueNums", queues),
        ("writeQueueNums", queues),
        ("perm", "6"),
        ("topicFilterType", "SINGLE_TAG"),
        ("topicSysFlag", "0"),
        ("order", "false"));

    /// <summary>What mqadmin updateSubGroup asks of a broker.</summary>
    public static byte[] CreateGroup(string group, bool orderly, int retryMaxTimes)
    {
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(new
        {
            groupName = group,
            consumeMessageOrderly = orderly,
            retryMaxTimes,
            groupRetryPolicy = new { type = "EXPONENTIAL", exponentialRetryPolicy = new { initial = 1000, max = 2000, multiplier = 2 } },
        });
        byte[] frame = [.. Write(200, 0, 1), .. body];
        BinaryPrimitives.WriteInt32BigEndian(frame, frame.Length - sizeof(int));
        return frame;
    }

    /// <summary>The answer of a server that has nothing to tell.</summary>
    public static byte[] Success(int opaque) => Write(0, 1, opaque);

    private static byte[] Write(int code, int flag, int opaque, params (string Name, string Value)[] fields)
    {
        string values = string.Join(',', fields.Select(field => $"\"{JsonEncodedText.Encode(field.Name)}\":\"{JsonEncodedText.Encode(field.Value)}\""));
        byte[] header = Encoding.UTF8.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $"{{\"code\":{code},\"extFields\":{{{values}}},\"flag\":{flag},\"language\":\"JAVA\",\"opaque\":{opaque},\"serializeTypeCurrentRPC\":\"JSON\",\"version\":479}}"));
        var frame = new byte[8 + header.Length];
        BinaryPrimitives.WriteInt32BigEndian(frame, 4 + header.Length);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(4), header.Length);
        header.CopyTo(frame.AsSpan(8));
        return frame;
    }
}
