using System.Reflection;
using GrayMQ.Filtering.Evaluation;
using GrayMQ.Filtering.Numbers;
using GrayMQ.Filtering.Outcomes;
using GrayMQ.Filtering.Properties;

namespace GrayMQ.Filtering.Compilation;

/// <summary>The methods that compiled code calls, by number.</summary>
internal static class ShapeMethods
{
    public const ushort IsMissing = 0;
    public const ushort TextEquals = 1;
    public const ushort IsMember = 2;
    public const ushort Search = 3;
    public const ushort TextsInOrder = 4;
    public const ushort Fits = 5;
    public const ushort TextEqualsTruth = 6;
    public const ushort TestNumber = 7;
    public const ushort TextNumbersInOrder = 8;
    public const ushort Compare = 9;
    public const ushort Read = 10;
    public const ushort Length = 11;
    public const ushort IndexOf = 12;
    public const ushort SubstringFrom = 13;
    public const ushort Substring = 14;
    public const ushort Compute = 15;
    public const ushort EqualTruths = 16;

    private static readonly MethodInfo[] Table =
    [
        Operation(nameof(Operations.IsMissing)),
        Operation(nameof(Operations.TextEquals)),
        Operation(nameof(Operations.IsMember)),
        Operation(nameof(Operations.Search)),
        Operation(nameof(Operations.TextsInOrder)),
        Operation(nameof(Operations.Fits)),
        Operation(nameof(Operations.TextEqualsTruth)),
        Operation(nameof(Operations.TestNumber)),
        Operation(nameof(Operations.TextNumbersInOrder)),
        Operation(nameof(Operations.Compare)),
        Operation(nameof(Operations.Read)),
        Operation(nameof(Operations.Length)),
        Operation(nameof(Operations.IndexOf)),
        typeof(Operations).GetMethod(nameof(Operations.Substring), [typeof(TextValue), typeof(FilterNumber)])!,
        typeof(Operations).GetMethod(nameof(Operations.Substring), [typeof(TextValue), typeof(FilterNumber), typeof(FilterNumber)])!,
        typeof(FilterNumber).GetMethod(nameof(FilterNumber.Compute))!,
        typeof(OutcomeAlgebra).GetMethod(nameof(OutcomeAlgebra.Equal))!,
    ];

    public static MethodInfo ReaderGet { get; } = typeof(PropertyReader).GetMethod(nameof(PropertyReader.Get))!;

    public static ConstructorInfo NewText { get; } = typeof(TextValue).GetConstructor([typeof(ReadOnlySpan<byte>)])!;

    public static MethodInfo AsSpan { get; } = typeof(ReadOnlySpan<byte>).GetMethod("op_Implicit", [typeof(byte[])])!;

    public static MethodInfo Missing { get; } = typeof(TextValue).GetProperty(nameof(TextValue.Missing))!.GetMethod!;

    public static MethodInfo Get(int number) => Table[number];

    private static MethodInfo Operation(string name) => typeof(Operations).GetMethod(name, BindingFlags.Public | BindingFlags.Static)!;
}
