using System.Text;
using System.Text.Json;
using GrayMQ.Fuzz.Seeds;
using GrayMQ.Protocol.Commands;

namespace GrayMQ.Fuzz.Targets;

/// <summary>
/// A command's header in one form: what is read survives both forms, agrees with the framework's JSON, and every header
/// record reads it or says what is wrong.
/// </summary>
internal sealed class HeaderTarget(string name, byte type) : FuzzTarget
{
    // The longest name that a binary header can hold.
    private const int MaxBinaryName = short.MaxValue;

    public override string Name => name;

    public override IReadOnlyList<byte[]> Tokens { get; } =
    [
        .. new[]
        {
            "\"code\":", "\"extFields\":{", "\"opaque\":", "\"flag\":", "\"remark\":", "\"language\":\"JAVA\",", "null", "true", "{}", "[]",
            "\\u0001", "\\ud83d", "\\ude00", "\\\\", "\\\"", "1e9", "-0", "0.5", "\"\":\"\",", "\"a\":\"1\",", "},", "\"queueId\":\"", "\"topic\":",
        }.Select(Encoding.UTF8.GetBytes),
    ];

    // Each header record is read and written once, into a buffer of its own.
    public override long MaxAllocatedBytes(int inputBytes) => (2 * 1024 * 1024) + (2_000L * inputBytes);

    public override IEnumerable<byte[]> Seeds()
    {
        foreach (byte[] bytes in Recorded.Frames())
        {
            RemotingCommand command = Commands.Decode(bytes);
            byte[] again = Commands.Encode(command, (SerializeType)type);

            // A code beyond 16 bits has no binary form.
            if (again[sizeof(int)] == type)
            {
                yield return again[Frame.PrefixBytes..];
            }
        }
    }

    public override bool Run(byte[] input)
    {
        RemotingCommand command;
        try
        {
            command = Commands.Decode(Commands.Frame(type, input));
        }
        catch (ProtocolException)
        {
            return false;
        }

        AssertSurvives(command, SerializeType.Json);
        if (command.Fields.ToDictionary().Keys.All(field => Encoding.UTF8.GetByteCount(field) <= MaxBinaryName))
        {
            AssertSurvives(command, SerializeType.RocketMq);
        }

        if (type == 0)
        {
            AssertAgreesWithFramework(input, command);
        }

        foreach (Action<HeaderFields> header in Commands.Headers)
        {
            header(command.Fields);
        }

        return true;
    }

    private static void AssertSurvives(RemotingCommand command, SerializeType form)
    {
        RemotingCommand again = Commands.Decode(Commands.Encode(command, form));
        bool binary = again.SerializeType == SerializeType.RocketMq;
        FindingException.Unless(
            (again.Code, again.Opaque, again.IsResponse, again.Remark ?? "")
                == (command.Code, command.Opaque, command.IsResponse, command.IsResponse ? command.Remark ?? "" : ""),
            $"{form}: the command changes");
        FindingException.Unless(Commands.SameFields(command.Fields, again.Fields, emptyIsNone: binary), $"{form}: the fields change");
    }

    private static void AssertAgreesWithFramework(byte[] input, RemotingCommand command)
    {
        // Bytes that are no UTF-8 and halves of surrogate pairs are read as Java reads them, which the framework refuses.
        Dictionary<string, string> expected = [];
        try
        {
            using var json = JsonDocument.Parse(input);
            foreach (JsonProperty property in json.RootElement.EnumerateObject().Where(property => property.NameEquals("extFields")))
            {
                expected.Clear();
                if (property.Value.ValueKind != JsonValueKind.Object)
                {
                    continue;
                }

                foreach (JsonProperty field in property.Value.EnumerateObject())
                {
                    if (field.Value.ValueKind != JsonValueKind.Null)
                    {
                        expected[field.Name] = field.Value.ValueKind == JsonValueKind.String ? field.Value.GetString()! : field.Value.GetRawText();
                    }
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return;
        }

        Dictionary<string, string> actual = command.Fields.ToDictionary();
        FindingException.Unless(
            expected.Count == actual.Count && expected.All(field => actual.GetValueOrDefault(field.Key) == field.Value),
            "the fields differ from what the framework's JSON reads");
    }
}
