using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace GrayMQ.Protocol.Bodies.Json;

/// <summary>
/// Writes a double as Java's <c>Double.toString</c> does (<c>0.0</c>, <c>1.25</c>, <c>1.0E7</c>, <c>1.0E-4</c>), since
/// scripts around RocketMQ match on it. What JSON cannot say (not a number, infinity) becomes null, as in fastjson.
/// </summary>
internal sealed class JavaDoubleConverter : JsonConverter<double>
{
    public static string Format(double value)
    {
        if (value == 0)
        {
            return double.IsNegative(value) ? "-0.0" : "0.0";
        }

        // Shortest digits that read back the same, as d.dddE+xxx.
        var sign = value < 0 ? "-" : "";
        var shortest = Math.Abs(value).ToString("E16", CultureInfo.InvariantCulture);
        for (var precision = 0; precision < 16; precision++)
        {
            var candidate = Math.Abs(value).ToString($"E{precision}", CultureInfo.InvariantCulture);
            if (double.Parse(candidate, CultureInfo.InvariantCulture) == Math.Abs(value))
            {
                shortest = candidate;
                break;
            }
        }

        var mark = shortest.IndexOf('E', StringComparison.Ordinal);
        var digits = shortest[..mark].Replace(".", "", StringComparison.Ordinal);
        var exponent = int.Parse(shortest.AsSpan(mark + 1), CultureInfo.InvariantCulture);
        return sign + exponent switch
        {
            >= 7 or < -3 => $"{digits[0]}.{(digits.Length > 1 ? digits[1..] : "0")}E{exponent}",
            < 0 => "0." + new string('0', -exponent - 1) + digits,
            _ when digits.Length <= exponent + 1 => digits.PadRight(exponent + 1, '0') + ".0",
            _ => digits[..(exponent + 1)] + "." + digits[(exponent + 1)..],
        };
    }

    public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.Number)
        {
            return reader.GetDouble();
        }

        return reader.TokenType == JsonTokenType.String
            && double.TryParse(reader.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw new JsonException();
    }

    public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options)
    {
        if (double.IsFinite(value))
        {
            writer.WriteRawValue(Format(value), skipInputValidation: true);
        }
        else
        {
            writer.WriteNullValue();
        }
    }
}
