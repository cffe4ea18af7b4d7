//! Exact decimal numbers for addf, subf, mulf and divf. Knows digits and a power of ten; floats come
//! in and go out as their shortest text.

use num_bigint::BigInt;
use num_bigint::Sign;

use crate::functions::CallError;

/// Decimal places of a quotient.
const DIVISION_PLACES: i64 = 16;

/// Powers of ten that operands may lie apart, and digits of a result.
const MAX_DIGITS: i64 = 10_000;

/// `digits * 10^exponent`
pub(super) struct Decimal {
    digits: BigInt,
    exponent: i64,
}

impl Decimal {
    pub(super) fn from_float(value: f64) -> Result<Self, CallError> {
        if !value.is_finite() {
            let text = crate::printf::format_float(value, b'g', None);
            return Err(CallError::new(format!(
                "Cannot create a Decimal from {text}"
            )));
        }
        let text = format!("{value:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let fraction = mantissa
            .split_once('.')
            .map_or(0, |(_, fraction)| fraction.len());
        let exponent: i64 = exponent.parse().unwrap_or_default();
        let digits = mantissa.replace('.', "").parse().unwrap_or_default();
        Ok(Self {
            digits,
            exponent: exponent - i64::try_from(fraction).unwrap_or_default(),
        })
    }

    #[allow(clippy::wrong_self_convention, reason = "it converts")]
    pub(super) fn to_float(self) -> f64 {
        format!("{}e{}", self.digits, self.exponent)
            .parse()
            .unwrap_or_default()
    }

    pub(super) fn add(&self, other: &Self) -> Result<Self, CallError> {
        let exponent = self.exponent.min(other.exponent);
        let digits = scaled(&self.digits, self.exponent - exponent)?
            + scaled(&other.digits, other.exponent - exponent)?;
        Ok(Self { digits, exponent })
    }

    pub(super) fn sub(&self, other: &Self) -> Result<Self, CallError> {
        self.add(&Self {
            digits: -&other.digits,
            exponent: other.exponent,
        })
    }

    pub(super) fn mul(&self, other: &Self) -> Result<Self, CallError> {
        let digits = &self.digits * &other.digits;
        if digits.bits() > 4 * MAX_DIGITS.unsigned_abs() {
            return Err(CallError::new("too many digits"));
        }
        Ok(Self {
            digits,
            exponent: self.exponent + other.exponent,
        })
    }

    /// Rounded half away from zero.
    pub(super) fn div(&self, other: &Self) -> Result<Self, CallError> {
        if other.digits.sign() == Sign::NoSign {
            return Err(CallError::new("decimal division by 0"));
        }
        let shift = self.exponent - other.exponent + DIVISION_PLACES;
        let dividend = scaled(&self.digits, shift.max(0))?;
        let divisor = scaled(&other.digits, (-shift).max(0))?;
        let quotient = &dividend / &divisor;
        let rest = &dividend % &divisor;
        let twice = BigInt::from(rest.magnitude().clone()) * 2;
        let mut digits = quotient;
        if twice >= BigInt::from(divisor.magnitude().clone()) {
            let negative = (dividend.sign() == Sign::Minus) != (divisor.sign() == Sign::Minus);
            digits += if negative { -1 } else { 1 };
        }
        Ok(Self {
            digits,
            exponent: -DIVISION_PLACES,
        })
    }
}

fn scaled(digits: &BigInt, places: i64) -> Result<BigInt, CallError> {
    if places > MAX_DIGITS {
        return Err(CallError::new("too many digits"));
    }
    Ok(digits * BigInt::from(10).pow(u32::try_from(places).unwrap_or_default()))
}
